"""Makes `domain/tables/fold.txt`: one character to one character, for the first step of the fold.

Run `python -m domain.foldtable` (needs the train extra for opencc) after a change here; the file is kept in the repository so that
nobody needs opencc to run.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

TABLE = Path(__file__).parent / "tables" / "fold.txt"

LOOKALIKES = {
    # Letters of other scripts that stand in for Latin ones. Two-way look-alikes of Chinese text are left alone.
    **dict(zip("νχхуаеорсвнктмѵоіʋᴠ", "vxxyaeopcbhktmvoivv", strict=True)),
    "ㄨ": "x", "乂": "x", "×": "x", "✖": "x", "❌": "x", "∨": "v", "ⓥ": "v", "〤": "x",
    # Signs that are read aloud as a character.
    "➕": "加", "✚": "加", "﹢": "+", "💰": "钱", "💵": "钱", "﹪": "%", "٪": "%", "‰": "‰", "〇": "0",
    # 火星文: characters that only dress up a common one.
    **dict(zip("仩菿沵莪兲苐厷伈恠嚸銭囙", "上到你我天第公心怪点钱因", strict=True)),
    **dict(zip("⒈⒉⒊⒋⒌⒍⒎⒏⒐", "123456789", strict=True)),
    "\t": " ", "\r": " ", "\x0b": " ", "\x0c": " ", "\u2028": "\n", "\u2029": "\n", "\x85": "\n", "\xa0": " ", "\u3000": " ",
}
KEEP = set("乾藉瞭著夥")
"""Traditional characters whose simplified form depends on the word; left as they are."""


def build() -> tuple[str, str]:
    """(from, to), two strings of one length: width and compatibility forms, case, look-alikes, then Traditional to Simplified."""
    import opencc

    simplify = opencc.OpenCC("t2s")
    pairs: dict[str, str] = {}
    for code in range(sys.maxunicode + 1):
        if 0xD800 <= code <= 0xDFFF:
            continue
        char = chr(code)
        # One step is not always enough: a bold capital becomes a capital first. The result is a fixed point.
        target = char
        for _ in range(4):
            step = unicodedata.normalize("NFKC", LOOKALIKES.get(target, target)).lower()
            step = LOOKALIKES.get(step, step)
            if len(step) == 1 and step not in KEEP and ("\u3400" <= step <= "\u9fff" or step >= "\U00020000"):
                step = simplify.convert(step)
            if len(step) != 1 or step == target:
                break
            target = step
        if target != char and target != "\u0000" and (char in LOOKALIKES or unicodedata.category(char)[0] != "C"):
            pairs[char] = target
    for char in list(pairs):
        while pairs[char] in pairs and pairs[pairs[char]] != pairs[char]:
            pairs[char] = pairs[pairs[char]]
    ordered = sorted(pairs)
    return "".join(ordered), "".join(pairs[char] for char in ordered)


def main() -> None:
    """Write the table."""
    source, target = build()
    codes = " ".join(f"{ord(a):x}>{ord(b):x}" for a, b in zip(source, target, strict=True))
    TABLE.write_text("# made by domain/foldtable.py from Unicode NFKC and opencc t2s (Apache-2.0)\n" + codes + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
