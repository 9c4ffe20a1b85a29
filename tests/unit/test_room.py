"""What fits into an archive, and what is said of the rest."""

from benchmark.archive.room import Room


def test_what_fits_is_there_and_the_rest_says_why(monkeypatch):
    monkeypatch.setattr("benchmark.archive.room.ROOM", 10)
    room = Room()
    taken = [room.takes(b"x" * size, name, "weights") for name, size in (("a", 6), ("b", 5), ("c", 4), ("d", 1))]
    assert taken == [True, False, True, False], "what is too large leaves room for what is not"
    assert list(room.left_out) == ["b", "d"]
    assert room.left_out["b"] == "its 0.0 MB of weights do not fit into the 0 MB of an archive"
