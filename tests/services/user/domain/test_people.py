"""Addresses, passwords and profiles."""

import unicodedata

import pytest

from mesh.errors import InvalidFieldError
from services.user.domain.people import Profile, changed_profile, email_key, new_password, normal_email


def test_the_domain_of_an_address_is_written_in_lower_case_and_its_name_is_kept() -> None:
    assert normal_email(" Ann.Lee@EXAMPLE.Org ") == "Ann.Lee@example.org"


def test_addresses_that_differ_in_case_or_composition_are_the_same() -> None:
    composed = "José@example.org"
    assert email_key(unicodedata.normalize("NFD", composed).upper()) == email_key(composed)


@pytest.mark.parametrize("text", ["", "@", "ann", "ann@", "@example.org"])
def test_an_address_without_name_or_domain_is_refused(text: str) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        normal_email(text)
    assert refused.value.field == "email"


def test_a_password_is_counted_in_composed_characters() -> None:
    eleven = "é" * 11
    with pytest.raises(InvalidFieldError):
        new_password(unicodedata.normalize("NFD", eleven))
    assert new_password(unicodedata.normalize("NFD", eleven + "é")) == eleven + "é"


def test_a_change_takes_the_named_fields_only() -> None:
    old = Profile(display_name="Ann", level=2, goals=("talk",))
    new = Profile(display_name="Bea", level=3)
    assert changed_profile(old, new, ["level", "goals"]) == Profile(display_name="Ann", level=3, goals=())


@pytest.mark.parametrize("path", ["shoe_size", "", "profile.level", "__class__"])
def test_a_change_of_an_unknown_field_is_refused(path: str) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        changed_profile(Profile(), Profile(), ["level", path])
    assert refused.value.field == "update_mask"


def test_a_change_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidFieldError):
        changed_profile(Profile(), Profile(), [])


@pytest.mark.parametrize("language", ["english!", "e", "en_US", "en-"])
def test_a_language_that_is_no_tag_is_refused(language: str) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        changed_profile(Profile(), Profile(native_language=language), ["native_language"])
    assert refused.value.field == "profile.native_language"
