from __future__ import annotations

import pytest

from grid import Keys, SourceSpecError


def test_keys_come_from_the_environment_and_an_empty_one_is_none() -> None:
    keys = Keys.from_environment({"SPROUT_ENTSOE_TOKEN": "abc", "SPROUT_EIA_KEY": ""})
    assert keys.required("entsoe_token", "entsoe") == "abc"
    with pytest.raises(SourceSpecError, match="eia: it needs a key: set eia_key, or SPROUT_EIA_KEY"):
        keys.required("eia_key", "eia")


def test_blanks_around_a_key_are_not_part_of_it() -> None:
    assert Keys(eia_key=" abc\n").required("eia_key", "eia") == "abc"


def test_a_repr_says_which_keys_there_are_and_not_what_they_are() -> None:
    assert repr(Keys(eia_key="abc", watttime_user="me")) == "Keys(watttime_user=***, eia_key=***)"
