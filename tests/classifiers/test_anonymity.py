from __future__ import annotations

import pytest

from classifiers.anonymity import anonymous

TEXT = "年化18%起投1万元，电话13800138000，加微信 jinsui_8866，QQ 223344556，官网 https://www.jinsui8866.com/vip?a=99，邮箱 boss@jinsui.cn"


@pytest.mark.parametrize("secret", ["13800138000", "jinsui_8866", "223344556", "jinsui8866", "boss"])
def test_no_contact_is_left(secret: str) -> None:
    assert secret in TEXT
    assert secret not in anonymous(TEXT)


def test_everything_else_stays_in_its_place() -> None:
    found = anonymous(TEXT)
    assert len(found) == len(TEXT)
    assert found.startswith("年化18%起投1万元，电话138")
    assert "https://www." in found


@pytest.mark.parametrize("text", ["", "没有联系方式", "热线 95588", "\ud800 加微信 abc12345"])
def test_the_same_text_gives_the_same(text: str) -> None:
    assert anonymous(text) == anonymous(text)
