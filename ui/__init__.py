"""What people see: the command, the terminal view, the overlay."""
