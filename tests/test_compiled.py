"""What is kept of compiled programs stays within its bound."""

import os

from minigpt_challenge.coach.compiled import trim


def test_the_oldest_go_until_the_rest_fits(tmp_path):
    for age, name in enumerate(["new", "middle", "old", "oldest"]):
        (tmp_path / name).write_bytes(b"x" * 10)
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    trim(tmp_path, most=40)
    assert len(os.listdir(tmp_path)) == 4
    trim(tmp_path, most=25)
    assert sorted(os.listdir(tmp_path)) == ["middle", "new"]


def test_where_nothing_is_kept_there_is_nothing_to_trim(tmp_path):
    trim(tmp_path / "absent")
