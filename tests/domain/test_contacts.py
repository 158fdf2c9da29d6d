"""Contacts as people write them, normalised, and masked; and the numbers that reach nobody."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.contacts import find, in_folded, mask
from domain.text import Folded, fold

PHONE = "13812345678"
READ = [
    # Mobile phones
    ("电话13812345678", "phone", PHONE),
    ("电话：138 1234 5678", "phone", PHONE),
    ("手机138-1234-5678", "phone", PHONE),
    ("138.1234.5678", "phone", PHONE),
    ("1 3 8 1 2 3 4 5 6 7 8", "phone", PHONE),
    ("１３８１２３４５６７８", "phone", PHONE),
    ("①③⑧①②③④⑤⑥⑦⑧", "phone", PHONE),
    ("一三八一二三四五六七八", "phone", PHONE),
    ("幺三八幺二三四五六七八", "phone", PHONE),
    ("壹叁捌壹贰叁肆伍陆柒捌", "phone", PHONE),
    ("一三八-一二三四-五六七八", "phone", PHONE),
    ("138O1234567", "phone", "13801234567"),
    ("138OO138OOO", "phone", "13800138000"),
    ("+86 13812345678", "phone", PHONE),
    ("+8613812345678", "phone", PHONE),
    ("tel:13812345678", "phone", PHONE),
    ("13812345678转王经理", "phone", PHONE),
    ("张S13812345678", "phone", PHONE),
    ("138****1234", "phone", "138****1234"),
    ("找老王139****0000", "phone", "139****0000"),
    ("王律师138xxxx1234", "phone", "138xxxx1234"),
    # Landlines and service numbers
    ("010-88886666", "phone", "01088886666"),
    ("(0571)87654321", "phone", "057187654321"),
    ("（0571）8765 4321", "phone", "057187654321"),
    ("0571—87654321", "phone", "057187654321"),
    ("0571 8765 4321", "phone", "057187654321"),
    ("0551-6000-0001", "phone", "055160000001"),
    ("021/62345678", "phone", "02162345678"),
    ("座机6655443", "phone", "6655443"),
    ("6655443（座机）", "phone", "6655443"),
    ("电话：8765-4321", "phone", "87654321"),
    ("热线 88837742-8036", "phone", "88837742"),
    ("咨询电话零五七一八七六五四三二一", "phone", "057187654321"),
    ("400-820-8820", "phone", "4008208820"),
    ("4008208820", "phone", "4008208820"),
    ("400 820 8820", "phone", "4008208820"),
    ("800-820-8820", "phone", "8008208820"),
    # WeChat
    ("微信：abc12345", "wechat", "abc12345"),
    ("微信号 wx_abc", "wechat", "wx_abc"),
    ("微信号 wx_abc123", "wechat", "wx_abc123"),
    ("微信号是abc12345", "wechat", "abc12345"),
    ("微 信 号 ：abc12345", "wechat", "abc12345"),
    ("薇信：abc_12", "wechat", "abc_12"),
    ("徽信 xyz_2020", "wechat", "xyz_2020"),
    ("+v：abc12", "wechat", "abc12"),
    ("加V：abc12345", "wechat", "abc12345"),
    ("加v abc12345", "wechat", "abc12345"),
    ("V❤:abc12345", "wechat", "abc12345"),
    ("VX-abc12345", "wechat", "abc12345"),
    ("vx：Abc12345", "wechat", "abc12345"),
    ("威❤abc12345", "wechat", "abc12345"),
    ("微❤➕wei723086", "wechat", "wei723086"),
    ("weixin: abc12345", "wechat", "abc12345"),
    ("Ｗｅｉｘｉｎ：abc12345", "wechat", "abc12345"),
    ("卫星：ktm657", "wechat", "ktm657"),
    ("绿泡泡：abc12345", "wechat", "abc12345"),
    ("微信licai168", "wechat", "licai168"),
    ("退群加wxn101563", "wechat", "n101563"),
    ("公众号：caifu_2020", "wechat", "caifu_2020"),
    ("微信公众号abcde123", "wechat", "abcde123"),
    ("微信123456789", "wechat", "123456789"),
    ("wx同号13812345678", "wechat", PHONE),
    ("微信同号13812345678", "wechat", PHONE),
    ("手机微信同号：13812345678", "wechat", PHONE),
    ("加V咨询：13812345678", "wechat", PHONE),
    ("详情V13812345678", "wechat", PHONE),
    # QQ and groups
    ("QQ12345678", "qq", "12345678"),
    ("QQ：12345678", "qq", "12345678"),
    ("q:12345678", "qq", "12345678"),
    ("扣扣：88665544", "qq", "88665544"),
    ("企鹅：1234567", "qq", "1234567"),
    ("加扣1181854899", "qq", "1181854899"),
    ("QQ群 123456789", "group", "123456789"),
    ("q群123456789", "group", "123456789"),
    ("扣扣裙 123456789", "group", "123456789"),
    ("群号：123456789", "group", "123456789"),
    ("微信群：123456", "group", "123456"),
    ("交流群296830230", "group", "296830230"),
    # Telegram and links
    ("飞机@HH32107355", "link", "t.me/hh32107355"),
    ("飞机：tzg520", "link", "t.me/tzg520"),
    ("TG：pan_dada", "link", "t.me/pan_dada"),
    ("tg@pan_dada", "link", "t.me/pan_dada"),
    ("电报 abcde_1", "link", "t.me/abcde_1"),
    ("纸飞机：@abcde", "link", "t.me/abcde"),
    ("t.me/abcdef", "link", "t.me/abcdef"),
    ("进群请点t.me/+ZZR5bFmxyz", "link", "t.me/+zzr5bfmxyz"),
    ("看 http://t.cn/A6abcd 吧", "link", "http://t.cn/a6abcd"),
    ("dwz.cn/abc123", "link", "dwz.cn/abc123"),
    ("hxxp://example.top/a", "link", "hxxp://example.top/a"),
    # Domains
    ("www.example-shop.com", "domain", "www.example-shop.com"),
    ("example.com/reg?id=1", "domain", "example.com/reg?id=1"),
    ("据news.example.com.cn报道", "domain", "news.example.com.cn"),
    ("d9621点com", "domain", "d9621.com"),
    ("example。com", "domain", "example.com"),
    ("example[.]com", "domain", "example.com"),
    ("example(.)com", "domain", "example.com"),
    ("example dot com", "domain", "example.com"),
    # Mail
    ("a.b@qq.com", "email", "a.b@qq.com"),
    ("12345678@qq.com", "email", "12345678@qq.com"),
    ("abc#qq.com", "email", "abc@qq.com"),
    ("abc(at)163.com", "email", "abc@163.com"),
    ("abc艾特qq点com", "email", "abc@qq.com"),
    # Records of sites
    ("京ICP备12345678号-1", "icp", "京icp备12345678号-1"),
    ("粤 ICP 备 12345678 号", "icp", "粤icp备12345678号"),
    ("京公网安备11010102001234号", "icp", "京公网安备11010102001234号"),
    # Who is paid
    ("6222 0211 1122 3344 556", "account", "6222021111223344556"),
    ("6222021111223344556", "account", "6222021111223344556"),
    ("卡号：6222-0211-1122-3344", "account", "6222021111223344"),
    ("收款账号 1234567890123", "account", "1234567890123"),
    ("支付宝账号13812345678", "account", PHONE),
    ("支付宝：13812345678", "account", PHONE),
    ("收款人：青棠康养服务有限公司", "account", "青棠康养服务有限公司"),
    ("户名：望河种植专业合作社", "account", "望河种植专业合作社"),
    # Wallets, all of them drawn at random
    ("T7dWu6ssb7JVhrc8Pa4vvrSqefaGFdXSp9", "crypto", "T7dWu6ssb7JVhrc8Pa4vvrSqefaGFdXSp9"),
    ("0xC011Fe1BD38acF1eFe349a20FBDc01F40072fE3C", "crypto", "0xC011Fe1BD38acF1eFe349a20FBDc01F40072fE3C"),
    ("bc1qy79hjf6cca24gsuzk7yulklxe2z532a067f6vc", "crypto", "bc1qy79hjf6cca24gsuzk7yulklxe2z532a067f6vc"),
    ("1tHMDGDu8KXcgGAchjZ1wJ2vYCsuDZvRCN", "crypto", "1tHMDGDu8KXcgGAchjZ1wJ2vYCsuDZvRCN"),
    ("3M86crHbXEFD56wDmczVfnb57vtnpEpNw6", "crypto", "3M86crHbXEFD56wDmczVfnb57vtnpEpNw6"),
]
UNREAD = [
    "订单号13812345678", "运单号：1234567890123", "订单编号 6222021111223344", "合同编号20260001234", "票号25115954327648", "验证码123456",
    "股票代码600519", "代码：000001", "身份证11010119900307123X", "身份证号110101199003071234", "ISBN 978-7-302-12345-6",
    "统一社会信用代码91110105MA01234567", "学号20260102030", "期号2026128", "邮编310000",
    "2026年11月3日", "2026-11-28 10:30", "20261128", "2026.11.28", "二〇二六年十一月",
    "收益18.5%", "价格1280000元", "售价 88888888", "总投资40000000000元", "电话费100元", "800-1500元",
    "手机卡，一条龙，800-1500，急用",
    "共123人", "阅读100000", "粉丝1234567", "热线开通三年接听7078390个", "5678万", "1 3 5 7 9 11 13 15", "15 16 17 18 19 20",
    "一二三四五六七八九十", "3.1415926535", "192.168.1.100",
    "上海V5.0版本", "版本3.5.1.20260101", "QQ影音3.9.936", "v2rayng", "vip12345",
    "d41d8cd98f00b204e9800998ecf8427e", "3f2a9b8c7d6e5f4a3b2c1d0e9f8a7b6c", "手机iphone15promax",
    "微信支付很方便", "微信支付100000元", "微信官方公告", "QQ音乐", "飞机起飞了", "boeing737飞机", "加 vitamin C", "扫码加群",
    "请扫描二维码",
    "加入我们的大家庭", "户名与本人一致", "a@b", "",
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "value"), READ, ids=[row[0] for row in READ])
def test_contact_is_found_and_normalised(text: str, kind: str, value: str) -> None:
    assert [(contact.kind, contact.value) for contact in find(text)] == [(kind, value)]


@pytest.mark.parametrize("text", UNREAD)
def test_numbers_that_reach_nobody_are_left_alone(text: str) -> None:
    assert find(text) == ()


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("加 薇 信：abc_12 详谈", ["abc_12"]),
        ("电话（0571）8765 4321，找老王", ["（0571）8765 4321"]),
        ("邮箱abc#qq.com或example点com", ["abc#qq.com", "example点com"]),
        ("微信号 wx_abc123。", ["wx_abc123"]),
        ("壹叁捌壹贰叁肆伍陆柒捌找我", ["壹叁捌壹贰叁肆伍陆柒捌"]),
    ],
)
def test_span_is_what_was_read_in_the_original(text: str, spans: list[str]) -> None:
    assert [text[contact.start : contact.end] for contact in find(text)] == spans


@pytest.mark.parametrize("text", ["13812345678（微信同号）", "13812345678同微信", "13812345678 V同号", "13812345678，手机微信同号"])
def test_a_phone_that_is_wechat_too_is_both(text: str) -> None:
    assert [(contact.kind, contact.value) for contact in find(text)] == [("phone", PHONE), ("wechat", PHONE)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("13812345678/13987654321", [PHONE, "13987654321"]),
        ("联系人：13812345678.13987654321", [PHONE, "13987654321"]),
        ("QQ12345678电话13812345678", ["12345678", PHONE]),
        ("19912345678QQ：1664861139", ["19912345678", "1664861139"]),
        ("微信abc12345，群123456789，www.example.com", ["abc12345", "123456789", "www.example.com"]),
    ],
)
def test_contacts_side_by_side_are_all_found(text: str, values: list[str]) -> None:
    assert [contact.value for contact in find(text)] == values


def test_in_folded_counts_in_the_folded_text() -> None:
    folded = fold("薇❤信：ab_12345")
    (contact,) = in_folded(folded)
    assert folded.text[contact.start : contact.end] == "ab_12345"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("详情电话13812345678，张经理", "详情电话138****5678，张经理"),
        ("13812345678（微信同号）", "138****5678（微信同号）"),
        ("加微信abc12345", "加微信ab****45"),
        ("薇信：abc_12", "薇信：ab***12"),
        ("卡号6222 0211 1122 3344 556", "卡号622*****************556"),
        ("壹叁捌壹贰叁肆伍陆柒捌", "壹叁捌****伍陆柒捌"),
        ("没有联系方式", "没有联系方式"),
    ],
)
def test_mask_hides_the_middle_and_keeps_the_rest(text: str, masked: str) -> None:
    assert mask(text) == masked


@given(
    st.sampled_from([row for row in READ if row[1] in ("phone", "wechat", "qq", "group", "email") and "*" not in row[2]]),
    st.sampled_from(["", "咨询，", "名额有限！"]),
)
@settings(max_examples=200, deadline=None)
def test_what_is_masked_cannot_be_used(row: tuple[str, str, str], before: str) -> None:
    assert row[2] not in mask(before + row[0])


@given(st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_text_can_be_read_and_masked(text: str) -> None:
    for contact in find(text):
        assert text[contact.start : contact.end]
    mask(text)


@given(st.text(alphabet="微信薇qqvVxX加:：@.0123456789oabcdefg_群号电话 -()*+#点❤http/t.cn①②③一二三零幺", max_size=80))
@settings(max_examples=500, deadline=None)
def test_contacts_are_in_order_apart_and_named(text: str) -> None:
    at = 0
    for contact in find(text):
        assert at <= contact.start < contact.end <= len(text)
        assert contact.value
        at = contact.end


@pytest.mark.parametrize(
    "unit",
    ["1", "-", "1-", "1.", "1 ", "一", "a", "a.", "a@", "@", "a_", "x", "1*", "(1", "微信a", "微信:", "电话1234567 ", "13812345678",
     "点com", "a点com", "t.me/+", "http://", "收款人:某", "0x", "dot "],
)  # fmt: skip
def test_time_stays_bounded_on_a_page_of_one_thing(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    began = time.perf_counter()
    in_folded(Folded(text, range(len(text)), range(1, len(text) + 1)))
    assert time.perf_counter() - began < 10
