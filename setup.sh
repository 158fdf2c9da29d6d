#!/bin/sh
# Sets Wangxun up in this folder: a virtual environment in .venv, a Chromium and a Chinese font where they can be had.
#
#   sh setup.sh [run|test|train]     run: to use it; test: with the checks as well; train: with torch as well
#
# Needs a Python of 3.11 or newer. Knows: PYTHON (which one), PIP_* and pip's own configuration, UV_*, WANGXUN_BROWSER_PATH,
# WANGXUN_TORCH_INDEX (an index of torch builds), WANGXUN_SETUP_AGAIN=1 (look for what was missing once more).
# A second run with nothing changed does nothing. Only a missing Python, venv module or library makes it fail.
set -eu
cd "$(dirname "$0")"
exec </dev/null # nobody is asked anything

kind=${1:-run}
case $kind in run | test | train) ;; *)
    echo "setup.sh: $kind: give run, test or train" >&2
    exit 2
    ;;
esac
VENV=.venv
STATE=.setup
LOG=$STATE/log
mkdir -p "$STATE"
making_venv=no
apt_updated=no

say() { printf 'setup: %s\n' "$*"; }
fail() {
    say "$*" >&2
    exit 1
}

# A venv of which this run made only a part is taken away again; one that stood before stays, but without its stamp.
leave() {
    status=$?
    trap - EXIT
    [ "$making_venv" = no ] || rm -rf "$VENV"
    exit "$status"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

rank() { case $1 in train) echo 3 ;; test) echo 2 ;; run) echo 1 ;; *) echo 0 ;; esac }

# ---- system packages ---------------------------------------------------------------------------------------------------

apt_command() { # prints how apt-get may be called here; fails where it may not
    command -v apt-get >/dev/null 2>&1 || return 1
    if [ "$(id -u)" = 0 ]; then
        echo "env DEBIAN_FRONTEND=noninteractive apt-get"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true >/dev/null 2>&1; then
        echo "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get"
    else
        return 1
    fi
}

apt_install() { # apt_install PACKAGE...: whether all of them are there afterwards
    apt=$(apt_command) || return 1
    say "installing $* (apt-get)"
    # A fresh machine has no package lists yet; a machine that has them need not fetch them again.
    # shellcheck disable=SC2086  # the words of $apt are words
    $apt install -y --no-install-recommends "$@" >>"$LOG" 2>&1 && return 0
    if [ "$apt_updated" = no ]; then
        apt_updated=yes
        # shellcheck disable=SC2086
        $apt update >>"$LOG" 2>&1 || return 1
    fi
    # shellcheck disable=SC2086
    $apt install -y --no-install-recommends "$@" >>"$LOG" 2>&1
}

sudo_word() { [ "$(id -u)" = 0 ] || printf 'sudo '; }

# ---- Python and its venv -----------------------------------------------------------------------------------------------

is_fit() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() { # prints a Python of 3.11 or newer. 3.14 and later come last: not every library has wheels for them yet.
    if [ -n "${PYTHON:-}" ]; then
        if is_fit "$PYTHON"; then echo "$PYTHON"; return; fi
        say "PYTHON=$PYTHON is no Python of 3.11 or newer; looking for another" >&2
    fi
    if is_fit python3 && python3 -c 'import sys; sys.exit(sys.version_info >= (3, 14))'; then echo python3; return; fi
    for name in python3.13 python3.12 python3.11 python3 python3.14 python3.15; do
        if is_fit "$name"; then echo "$name"; return; fi
    done
    return 1
}

make_venv() { # makes .venv with $python
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        apt_install "python$version-venv" || apt_install python3-venv || true
        "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
            fail "$python has no venv module; run: $(sudo_word)apt-get install python3-venv (or python$version-venv), then try again"
    fi
    say "making $VENV with $("$python" --version 2>&1)"
    rm -rf "$VENV"
    making_venv=yes
    "$python" -m venv "$VENV" >>"$LOG" 2>&1 || fail "the venv could not be made; see $LOG"
}

# ---- libraries ---------------------------------------------------------------------------------------------------------

pip_setting() { # pip_setting find-links: what pip would use, from its environment first, then its files
    variable=PIP_$(printf '%s' "$1" | tr 'a-z-' 'A-Z_')
    eval "given=\${$variable:-}"
    # `pip config list` knows all of pip's files; `pip config get` would look into the user's alone.
    [ -n "$given" ] || given=$(printf '%s\n' "$pip_configuration" |
        sed -n "s/^\(global\|install\)\.$1='\(.*\)'\$/\2/p" | tail -n 1 | sed 's/\\n/ /g')
    printf '%s' "$given" | tr '\n' ' '
}

torch_index() { # prints an index of CPU builds where there is no GPU and the user's own links offer no build
    [ "$kind" = train ] || return 0
    if [ -n "${WANGXUN_TORCH_INDEX:-}" ]; then echo "$WANGXUN_TORCH_INDEX"; return 0; fi
    if command -v nvidia-smi >/dev/null 2>&1; then return 0; fi
    for folder in $(pip_setting find-links); do
        for wheel in "${folder#file://}"/torch-*cpu*.whl; do [ ! -e "$wheel" ] || return 0; done
    done
    "$VENV/bin/python" -c 'import urllib.request as r; r.urlopen("https://download.pytorch.org/whl/cpu/torch/", timeout=8)' \
        >/dev/null 2>&1 || return 0
    echo https://download.pytorch.org/whl/cpu
}

with_uv() { # uv reads none of pip's settings, so what concerns indexes is handed to it
    [ -x "$VENV/bin/uv" ] || "$VENV/bin/python" -m pip install -q uv >>"$LOG" 2>&1 || return 1
    set -- "$@" --python "$VENV/bin/python" --quiet
    index=$(pip_setting index-url) extra="$(pip_setting extra-index-url) $torch" links=$(pip_setting find-links)
    certificate=$(pip_setting cert) timeout=$(pip_setting timeout)
    [ -z "$index" ] || set -- "$@" --index-url "$index"
    for address in $extra; do set -- "$@" --extra-index-url "$address"; done
    for address in $links; do set -- "$@" --find-links "$address"; done
    # As pip does: the best version of all indexes, not the first index that knows the name.
    [ -z "${extra% }" ] || set -- "$@" --index-strategy unsafe-best-match
    [ -z "$(pip_setting no-index)" ] || set -- "$@" --no-index
    [ -z "$certificate" ] || SSL_CERT_FILE=${SSL_CERT_FILE:-$certificate}
    [ -z "${SSL_CERT_FILE:-}" ] || export SSL_CERT_FILE
    UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-${timeout:-120}} UV_LINK_MODE=${UV_LINK_MODE:-copy} UV_NO_PROGRESS=1 \
        "$VENV/bin/uv" pip install --compile-bytecode "$@" >>"$LOG" 2>&1
}

with_pip() {
    for address in $torch; do set -- "$@" --extra-index-url "$address"; done
    "$VENV/bin/python" -m pip install -q "$@" >>"$LOG" 2>&1
}

install_libraries() {
    case $kind in run) what=. ;; test) what='.[test]' ;; train) what='.[test,train]' ;; esac
    pip_configuration=$("$VENV/bin/python" -m pip config list 2>/dev/null || true)
    torch=$(torch_index)
    say "installing the libraries for $kind (a few minutes the first time; $LOG)"
    with_uv -e "$what" && return 0
    say "uv did not do it; trying plain pip"
    with_pip -e "$what" && return 0
    tail -n 15 "$LOG" >&2
    fail "the libraries could not be installed; the lines above say why, $LOG says all. Check the network and PIP_INDEX_URL."
}

# ---- what the patrol can do without, in part ---------------------------------------------------------------------------

runs() { timeout 30 "$1" --version >/dev/null 2>&1; } # Ubuntu's chromium-browser may be a stub that only asks for a snap

find_browser() {
    for name in "${WANGXUN_BROWSER_PATH:-}" chromium-headless-shell chromium google-chrome google-chrome-stable chromium-browser; do
        [ -n "$name" ] && command -v "$name" >/dev/null 2>&1 && runs "$name" && command -v "$name" && return 0
    done
    for path in "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}"/chromium*/*/*; do
        case ${path##*/} in chrome | headless_shell | chrome-headless-shell) runs "$path" && echo "$path" && return 0 ;; esac
    done
    return 1
}

drives() { "$VENV/bin/python" -m playwright --version >>"$LOG" 2>&1; } # its driver is a program that needs a library of its own

get_browser() { # whether a Chromium that can be driven is there, after all that may be tried here
    find_browser >/dev/null || apt_install chromium-headless-shell || apt_install chromium || true
    drives || apt_install libatomic1 || true
    drives || return 1
    if ! find_browser >/dev/null; then
        say "no Chromium from the system; trying Playwright's own"
        # With its system libraries only where nobody would be asked for a password.
        deps=
        apt_command >/dev/null && deps=--with-deps
        # shellcheck disable=SC2086
        timeout 900 "$VENV/bin/python" -m playwright install $deps chromium-headless-shell >>"$LOG" 2>&1 || true
    fi
    find_browser >/dev/null
}

need_browser() {
    browser=$(find_browser) && [ "$browser" = "$(cat "$STATE/browser" 2>/dev/null)" ] && return 0
    rm -f "$STATE/browser"
    if [ ! -e "$STATE/no-browser" ] || [ -n "${WANGXUN_SETUP_AGAIN:-}" ] || [ -n "$browser" ]; then
        rm -f "$STATE/no-browser"
        get_browser && { find_browser >"$STATE/browser"; return 0; }
        : >"$STATE/no-browser"
    fi
    say "MISSING: a Chromium that can be driven. Platforms with 'fetch: browser' (JavaScript-only sites) are NOT patrolled, and there"
    say "  are no screenshots. What would do:"
    drives || say "  $(sudo_word)apt-get install libatomic1"
    # Ubuntu's archive has no such package: name only what would do here.
    ! apt-cache show chromium-headless-shell >/dev/null 2>&1 || say "  $(sudo_word)apt-get install chromium-headless-shell"
    say "  .venv/bin/python -m playwright install --with-deps chromium-headless-shell"
    say "  or WANGXUN_BROWSER_PATH=/path/to/chromium; then: make setup"
}

find_font() {
    if command -v fc-list >/dev/null 2>&1; then [ -n "$(fc-list :lang=zh family 2>/dev/null | head -n 1)" ] && return 0; fi
    for path in /usr/share/fonts/*/*/*CJK* /usr/share/fonts/*/*/wqy* /usr/share/fonts/*/*CJK* "$HOME"/.local/share/fonts/*CJK* "$HOME"/.fonts/*CJK*; do
        [ ! -e "$path" ] || return 0
    done
    return 1
}

need_font() {
    find_font && return 0
    if [ ! -e "$STATE/no-font" ] || [ -n "${WANGXUN_SETUP_AGAIN:-}" ]; then
        apt_install fonts-noto-cjk || true
        find_font && { rm -f "$STATE/no-font"; return 0; }
    fi
    : >"$STATE/no-font"
    say "MISSING: a Chinese font. Letters as .pdf, the demo's posters and screenshots show boxes instead of characters."
    say "  To add one: $(sudo_word)apt-get install fonts-noto-cjk"
}

# ---- the way through ---------------------------------------------------------------------------------------------------

# The stamp names what was installed last and for what: its kind, the project file, the Python, this script and this place.
stamp_of() {
    { cat pyproject.toml setup.sh; pwd -P; "$1" -c 'import platform, sys; print(sys.version, platform.machine())'; } | sha256sum | cut -c 1-64
}

# One at a time: `make demo` and `make test` side by side would build on each other's half. The lock dies with its holders.
if command -v flock >/dev/null 2>&1; then
    exec 9>"$STATE/lock"
    flock -n 9 || { say "another setup is at work here; waiting for it"; flock -w 1800 9 || fail "the other setup does not end; see $LOG"; }
fi

# A venv does not survive being moved: its scripts name the folder it was made in.
is_whole() { [ ! -e "$STATE/making" ] && is_fit "$VENV/bin/python" && grep -qF "$(pwd -P)/$VENV" "$VENV/bin/activate" 2>/dev/null; }

had=$(cut -d ' ' -f 1 "$STATE/stamp" 2>/dev/null || true)
[ "$(rank "$kind")" -ge "$(rank "$had")" ] || kind=$had # what was asked for before is not taken away
is_whole || had=
if [ -z "$had" ] || [ "$(cat "$STATE/stamp")" != "$kind $(stamp_of "$VENV/bin/python")" ]; then
    rm -f "$STATE/stamp" "$STATE/browser" "$STATE/no-browser"
    : >"$LOG"
    if ! is_whole || ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        python=$(find_python) || {
            apt_install python3.11 python3.11-venv || apt_install python3 python3-venv || true
            python=$(find_python) || fail "no Python of 3.11 or newer; run: $(sudo_word)apt-get install python3 python3-venv (Debian 12, Ubuntu 24.04 or newer)"
        }
        : >"$STATE/making" # outlives a kill or a power cut: the next run starts anew
        make_venv
    fi
    install_libraries
    "$VENV/bin/python" -c 'import domain, scrapy, sqlalchemy' >>"$LOG" 2>&1 || fail "installed, but it does not import; see $LOG"
    printf '%s %s\n' "$kind" "$(stamp_of "$VENV/bin/python")" >"$STATE/stamp.new"
    rm -f "$STATE/making"
    mv "$STATE/stamp.new" "$STATE/stamp"
    making_venv=no
fi
need_browser
need_font
say "ready for $kind"
