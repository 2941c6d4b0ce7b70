#!/bin/sh
# Writes the pictures into pictures.md, as documentation has no other place for them.
cd "$(dirname "$0")" || exit
for name in page slow-chain slow-limit slow-task; do
    printf '[%s.png]: data:image/png;base64,%s\n' "$name" "$(base64 -w0 "$name.png")"
done >pictures.md
