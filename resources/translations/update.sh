#!/bin/sh
# Take the strings of the sources over into attune_zh_CN.ts, and make the .qm that the window loads.
# New strings come in as unfinished; a test tells which.
set -e
cd "$(dirname "$0")/../.."
sources=$(mktemp)
messages=$(mktemp --suffix=.py)
trap 'rm -f "$sources" "$messages"' EXIT
python resources/translations/messages.py > "$messages"
find editor widgets inference -name '*.py' ! -path '*/miniworld/*' | LC_ALL=C sort > "$sources"
echo "$messages" >> "$sources"
pyside6-lupdate -no-obsolete -locations none -tr-function-alias translate+=N_ "@$sources" \
    -ts resources/translations/attune_zh_CN.ts
pyside6-lrelease resources/translations/attune_zh_CN.ts -qm resources/translations/attune_zh_CN.qm
