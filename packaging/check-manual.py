#!/usr/bin/python3
"""What the code's tables name and what the manual documents are the same: the keys of the configuration files (mha4rdb.conf(5)), and the
verbs and options of mhactl (its usage text and mhactl(1)). Part of `make lint`; prints what is missing where."""

import glob
import re
import sys

missing = []


def read(path):
    with open(path) as f:
        return f.read()


def compare(what, code, where, manual):
    missing.extend(f"{what} {name} is not in {where}" for name in sorted(code - manual))
    missing.extend(f"{what} {name} is in {where} alone" for name in sorted(manual - code))


def keys():
    """In lists named `keys` or `known`, and in macros for those that several files share."""
    found = set()
    for path in glob.glob("**/settings.[ch]", recursive=True):
        text = read(path)
        for body in re.findall(r"static const char \*const (?:keys|known)\[\] = \{(.*?)\};", text, re.S):
            found |= set(re.findall(r'"(\w+)"', body))
        for body in re.findall(r"#define \w+_SETTINGS_KEYS((?:.*\\\n)*.*)", text):
            found |= set(re.findall(r'"(\w+)"', body))
    return found


def documented_keys():
    """The tags of lists; `arbiter = true` and its like stand in the sentence that says what an element of `nodes` has."""
    text = read("man/mha4rdb.conf.5")
    found = {name for tag in re.findall(r"\.It Cm ([^\n]*)", text) for name in re.findall(r"(?:^|, )(\w+)", tag.split("=")[0].strip())}
    return found | {name for name in re.findall(r"\.Cm (\w+)", text) if name in ("name", "address", "arbiter", "interface")}


def options_of(text, *forms):
    """Long ones, and -o, which is --output."""
    found = {name for form in forms for name in re.findall(form, text)}
    return {{"o": "output"}.get(name, name) for name in found if len(name) > 1 or name == "o"}


def check_mhactl():
    page = read("man/mhactl.1").split(".Ss JSON")[0]
    verbs = dict(re.findall(r'^    \{"(\w+)", "([^"]*)",', read("client/ctl.c"), re.M))
    compare("mhactl's verb", set(verbs), "mhactl(1)", set(re.findall(r"^\.It Cm (\w+)", page, re.M)))
    for verb, usage in verbs.items():
        options = set(re.findall(r'\.name = "([\w-]+)"', read(f"client/ctl_{verb}.c")))
        tags = " ".join(re.findall(rf"^\.It Cm {verb}\b(.*)$", page, re.M))
        compare(f"{verb}'s option", options, "its usage text", options_of(usage, r"--?([\w-]+)"))
        compare(f"{verb}'s option", options, "mhactl(1)", options_of(tags, r"Fl -?([\w-]+)", r", -([\w-]+)"))


compare("the key", keys(), "mha4rdb.conf(5)", documented_keys())
check_mhactl()
for line in missing:
    print(f"check-manual: {line}", file=sys.stderr)
sys.exit(1 if missing else 0)
