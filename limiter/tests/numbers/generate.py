"""Writes vectors.jsonl: what numbers of all regions, spelt in many ways, are to be read as.

The oracle is the Python port of libphonenumber (`phonenumbers`, Apache-2.0), which shares no code with the library that
the limiter uses. Its version names the metadata; both ports have to be at the same one, or ranges differ.

    pip install phonenumbers==9.0.42 && python generate.py > vectors.jsonl

A line is [default country, what it is, text, key or null, country or null]; null keys are texts that keep their own.
"""

import json
import sys

import phonenumbers as library
from phonenumbers import PhoneNumberFormat as Format
from phonenumbers import PhoneNumberType as Type
from phonenumbers import ValidationResult
from phonenumbers.shortnumberinfo import _example_short_number

VERSION = "9.0.42"
FULL_WIDTH = str.maketrans("+0123456789", "＋０１２３４５６７８９")
ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")

# Texts that belong to no region's pattern; all read with the default country US.
ODD = [
    "", " ", "+", "++12065550100", "+1", "0", "00", "*67", "#31#", "*6712065550100", "anonymous", "sip:alice",
    "sip:+12065550100@example.com", "tel:+1-206-555-0100", "tel:2065550100;phone-context=+1",
    "tel:5550100;phone-context=+1206", "tel:2065550100;phone-context=example.com", "+1 (206) 555-0100 x7",
    "+12065550100;ext=7", "+12065550100,,7", "+12065550100#7", "2065550100 ext. 7", "1-800-FLOWERS", "1-800-flowers",
    "+1 206.555.0100", "+1\u00a0206\u00a0555\u00a00100", "+1\u2011206\u2011555\u20110100", "\u202a+12065550100\u202c",
    "+120655501", "+120655501000", "+12065550100200300400", "5550100", "12065550100", "0012065550100", "01112065550100",
    "011442079460000", "+442079460000", "+440207946000", "+44(0)2079460000", "+999123456789", "+0012065550100",
    "+800 1234 5678", "+8706123456789", "+979123456789", "2065550100\n", "\t2065550100", "2065550100;isub=1",
    "206555010O", "+1-2-0-6-5-5-5-0-1-0-0", "+1/206/555/0100", "206 555 0100 / 0101", "x2065550100", "١٢٠٦٥٥٥٠١٠٠",
    "+19995550100", "+15005550100", "+17475550100", "+18765550100", "+441624555010", "+76125550100",
]


def read(text, default):
    """As the limiter is to read it: a number of possible length, also where its range is not known to be in use."""
    try:
        number = library.parse(text, default)
    except library.NumberParseException:
        return None, None
    if library.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None, None
    country = library.region_code_for_number(number) or library.region_code_for_country_code(number.country_code)
    return library.format_number(number, Format.E164), None if country in ("001", "ZZ") else country


def spellings(number, brief):
    """The ways in which one number may reach the limiter from its own country, each with a name."""
    e164 = library.format_number(number, Format.E164)
    national = library.format_number(number, Format.NATIONAL)
    international = library.format_number(number, Format.INTERNATIONAL)
    code = str(number.country_code)
    yield "E.164", e164
    yield "international", international
    yield "national", national
    yield "URI", library.format_number(number, Format.RFC3966)
    yield "significant digits", library.national_significant_number(number)
    yield "calling code without plus", e164[1:]
    if brief:
        return
    yield "extension by parameter", f"{e164};ext=123"
    yield "full width", e164.translate(FULL_WIDTH)
    yield "dots", international.replace(" ", ".").replace("-", ".")
    yield "parentheses", f"+{code} ({e164[len(code) + 1:]})"
    yield "national, digits only", "".join(c for c in national if c.isdigit())
    yield "national, other digits", national.translate(ARABIC_INDIC)
    yield "national, extension by letter", f"{national} x123"
    yield "too short", e164[: len(code) + 2]
    yield "one digit less", e164[:-1]
    yield "one digit more", e164 + "0"
    yield "too long", e164 + "0000000000"


def of_region(region):
    numbers = [library.example_number_for_type(region, kind) for kind in (Type.FIXED_LINE, Type.MOBILE)]
    for name, number in zip(("fixed", "mobile"), numbers):
        if number is None:
            continue
        for what, text in spellings(number, brief=name == "mobile"):
            yield region, f"{name}: {what}", text
        elsewhere = "US" if number.country_code != 1 else "GB"
        yield elsewhere, f"{name}: from abroad", library.format_out_of_country_calling_number(number, elsewhere)
        own_prefix = library.PhoneMetadata.metadata_for_region(region).international_prefix
        if own_prefix and own_prefix.isdigit():
            yield region, f"{name}: own international prefix", own_prefix + library.format_number(number, Format.E164)[1:]
    foreign = library.example_number_for_type("GB" if region != "GB" else "US", Type.MOBILE)
    yield region, "a foreign number, as dialled here", library.format_out_of_country_calling_number(foreign, region)
    short = _example_short_number(region)
    if short:
        yield region, "short code", short
    code = library.country_code_for_region(region)
    for emergency in emergencies(region):
        yield region, "emergency", emergency
        yield region, "emergency behind the calling code", f"+{code}{emergency}"


def emergencies(region):
    description = library.PhoneMetadata.short_metadata_for_region(region)
    example = description and description.emergency and description.emergency.example_number
    return sorted({number for number in (example, "112", "911") if number and library.is_emergency_number(number, region)})


def write(default, what, text):
    print(json.dumps([default, what, text, *read(text, default)], ensure_ascii=False, separators=(",", ":")))


def main():
    if library.__version__ != VERSION:
        sys.exit(f"phonenumbers {VERSION} is wanted, this is {library.__version__}")
    for region in sorted(library.SUPPORTED_REGIONS):
        for vector in of_region(region):
            write(*vector)
    for code in sorted(library.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        number = library.example_number_for_non_geo_entity(code)
        write("US", "of no country", library.format_number(number, Format.E164))
    for text in ODD:
        write("US", "odd", text)


main()
