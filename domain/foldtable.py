"""Makes `domain/tables/fold.txt`: one character to one character, for the first step of the fold.

Run `python -m domain.foldtable` (needs the train extra for opencc) after a change here; the file is kept in the repository so that
nobody needs opencc to run.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

TABLE = Path(__file__).parent / "tables" / "fold.txt"

_LATIN = (
    " νv χx хx уy аa еe оo рp сc вb нh кk тt мm ѵv іi ʋv ᴠv ѕs јj ԛq ԝw һh ɡg ɩi ʍw ʜh ɪi ʟl ɴn ʀr ʏy ʙb ɢg ɑa οo ѡw ʌv ᴧv ⅴv ⅹx ᴀa"
    " ᴄc ᴅd ᴇe ᴊj ᴋk ᴍm ᴏo ᴘp ꞯq ᴛt ᴜu ᴡw ᴢz ꜰf ꜱs ɋq ϙq ѷv ӽx ҳx ㄨx 乂x ×x ✖x ❌x ∨v 〤x ✕x ╳x ⨯x 丅t"
)
"""Letters of other scripts, and signs, that stand in for Latin letters. Two-way look-alikes of Chinese text are left alone."""
_ALOUD = "➕加 ✚加 ﹢+ 💰钱 💵钱 💴钱 💶钱 💷钱 🐧q ﹪% ٪% 〇0 ⓿0"
"""Signs that are read aloud as a character."""
_DRESSED = (
    " 仩上 菿到 沵你 莪我 兲天 苐第 厷公 伈心 恠怪 嚸点 銭钱 囙因 伱你 妳你 涐我 莈没 恏好 侽男 鈤日 吥不 咑打 収收 発发 変变 経经"
    " 済济 価价 値值 気气 験验 権权 売卖 実实 対对 単单 広广 転转 総总 続续 関关 団团 両两 証证 図图 囻国 囯国 圀国 囶国 囬回 囘回"
    " 囲围 亾人 卋世 丗世 昰是 鉯以 偠要 叧另 呮只 氺水 吙火 颩风 凨风 銀银 幤币 帀币 歀款 欵款 贃赚 羣群 裠群 帬群 鐡铁 夲本 恖息"
    " 嶶微 癓微 矀微 㐰信 伩信 訫信 孞信 徴征 穏稳 隠隐 歩步 毎每 黒黑 髙高 旡无 亊事 兦亡"
)
"""火星文: characters that only dress up a common one and stand in no modern Chinese word of their own."""
_RADICALS = (
    " ⺅亻 ⺈刀 ⺉刂 ⺊卜 ⺌小 ⺍小 ⺓幺 ⺕彐 ⺖忄 ⺗心 ⺘扌 ⺙攵 ⺝月 ⺞歹 ⺠民 ⺡氵 ⺢水 ⺤爫 ⺥爫 ⺦丬 ⺧牛 ⺨犭 ⺩王 ⺪疋 ⺫罒"
    " ⺬示 ⺭礻 ⺮竹 ⺯纟 ⺰纟 ⺲罒 ⺶羊 ⺷羊 ⺸羊 ⺹老 ⺼月 ⺽臼 ⺾艹 ⺿艹 ⻀艹 ⻂衤 ⻃西 ⻄西 ⻅见 ⻆角 ⻇角 ⻈讠 ⻉贝 ⻊足 ⻋车"
    " ⻌辶 ⻍辶 ⻎辶 ⻏阝 ⻐钅 ⻑长 ⻒长 ⻓长 ⻔门 ⻖阝 ⻗雨 ⻘青 ⻙韦 ⻚页 ⻛风 ⻜飞 ⻝食 ⻞食 ⻟饣 ⻠饣 ⻡首 ⻢马 ⻣骨 ⻥鱼 ⻦鸟"
    " ⻧卤 ⻨麦 ⻩黄 ⻬齐 ⻮齿 ⻰龙 釒钅 糹纟 訁讠 飠饣"
)
"""Radicals that stand for the character, or for the part of one, that they are drawn as."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
LOOKALIKES = {
    **{pair[0]: pair[1] for table in (_LATIN, _ALOUD, _DRESSED, _RADICALS) for pair in table.split()},
    # Parenthesised, negative circled and negative squared letters, and the regional letters that messengers are named with.
    **{chr(start + n): letter for start in (0x249C, 0x1F110, 0x1F150, 0x1F170) for n, letter in enumerate(_LETTERS)},
    **{chr(0x1F1E6 + _LETTERS.index(letter)): letter for letter in "vxwq"},
    # Digits with a full stop, and circled ones that Unicode does not call digits.
    **{chr(start + n): str(n + 1) for start in (0x2488, 0x2776, 0x2780, 0x278A, 0x24F5) for n in range(9)},
    "\t": " ", "\r": " ", "\x0b": " ", "\x0c": " ", "\u2028": "\n", "\u2029": "\n", "\x85": "\n", "\xa0": " ", "\u3000": " ",
}  # fmt: skip
KEEP = set("乾藉瞭著夥")
"""Traditional characters whose simplified form depends on the word; left as they are."""


def _bare(char: str) -> str:
    """A Latin letter without its accents (tone marks of pinyin among them), a digit of any script as 0-9, else as it is."""
    base = unicodedata.normalize("NFD", char)[:1]
    if len(char) == 1 and char > "\x7f":
        return base if base in _LETTERS else str(unicodedata.decimal(char, char))
    return char


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
            step = _bare(LOOKALIKES.get(step, step))
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
