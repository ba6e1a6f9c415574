"""How long a session's end is waited for, and what it says it came from."""

from live.ending import Ending


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_the_first_reason_counts():
    ending = Ending()
    ending.fail(None)
    assert ending.error is None
    ending.fail("the first")
    ending.fail("the second")
    ending.fail(None)
    assert ending.error == "the first"


def test_without_a_deadline_it_takes_as_long_as_it_takes():
    assert Ending().left_s is None


def test_a_deadline_stands_until_all_is_given_up_and_is_never_below_nothing():
    clock = Clock()
    ending = Ending(clock)
    ending.wait(10.0)
    clock.now_s += 4.0
    ending.wait(10.0)
    assert (ending.left_s, ending.is_abandoned) == (6.0, False)
    ending.abandon(15.0)
    assert (ending.left_s, ending.is_abandoned) == (15.0, True)
    clock.now_s += 20.0
    assert ending.left_s == 0.0
