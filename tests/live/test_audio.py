from audio_clips import silence

from live.audio import AudioChunk, Utterance, seconds


def test_a_stretch_of_sound_ends_after_its_last_sample():
    chunk = AudioChunk("microphone", silence(0.5), 16_000)
    utterance = Utterance(1, "microphone", silence(0.25), 8_000, is_final=True)

    assert (seconds(chunk.end), seconds(utterance.end)) == (1.5, 0.75)
