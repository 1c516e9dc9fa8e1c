"""Judges `cowspy pages` against memory in known states: TOOL PID FILE MEMORY INHERITED."""
import json
import os
import sys

from tool_judge import PAGE, entries, expect, has_frame_numbers, letters, pages_of, run

tool, pid = sys.argv[1], int(sys.argv[2])
file, memory, inherited = (int(word, 16) for word in sys.argv[3:6])
swapbacked_file = sys.argv[6] == "tmpfs"

view = pages_of(tool, pid, "--frames")
mappings = view["mappings"]


def judge_states():
    got = "".join(letters(mappings, file, 4))
    expect("four file pages", "C-Cf", got[0] + ("-" if got[1] in ".f" else got[1]) + got[2:])
    expect("anonymous pages", "." * 8 + "z" * 8 + "C" * 8 + "." * 40,
           "".join(letters(mappings, memory, 64)))
    expect("pages after a fork", "C" + "s" * 7, "".join(letters(mappings, inherited, 8)))
    part = json.loads(run(tool, "pages", "--json", str(pid),
                          f"{memory + 20 * PAGE:x}-{memory + 30 * PAGE:x}"))
    expect("pages of a range", (10 * PAGE, 4), (part["bytes"], part["pages"]["copied"]))


def mapped_once(look):
    return look["smaps"]["Private_Clean"] + look["smaps"]["Private_Dirty"], \
        look["frames"]["mapped_only_here"] * PAGE


def judge_sums():
    # Other processes may map or leave the same libraries between the two readings of one look.
    look = view
    for _ in range(10):
        if len(set(mapped_once(look))) == 1:
            break
        look = pages_of(tool, pid)
    expect("Private_Clean + Private_Dirty", *mapped_once(look))
    pages, smaps = view["pages"], view["smaps"]
    expect("Anonymous", smaps["Anonymous"],
           (pages["copied"] + pages["copied_huge"] + pages["shared"]) * PAGE)
    expect("Swap", smaps["Swap"], pages["copied_swapped"] * PAGE)
    for key in pages:
        expect(f"sum of {key}", pages[key], sum(m["pages"][key] for m in mappings))
    text = run(tool, "pages", str(pid))
    assert "Anonymous (C + H + s)" in text and "Swap (S)" in text, text
    assert f"  {file:012x} " in text, text


def judge_frames():
    missing = " ".join(view["missing"])
    if not has_frame_numbers():
        assert "CAP_SYS_ADMIN" in missing, missing
        print("no frame numbers, and said so:", missing)
        return
    if not os.access("/proc/kpageflags", os.R_OK):
        assert "/proc/kpageflags" in missing, missing
        return
    checked = 0
    for mapping in mappings:
        for frame in mapping["frame_list"]:
            numbers = entries(pid, int(frame["address"], 16), 1)[0] & ((1 << 55) - 1)
            assert numbers == frame["frame"], frame
            copied = frame["state"] in "CHs"
            assert ("anon" in frame["flags"]) == copied, frame
            assert ("zero_page" in frame["flags"]) == (frame["state"] == "z"), frame
            if copied or not swapbacked_file:
                assert ("swapbacked" in frame["flags"]) == copied, frame
            checked += 1
    print("frames whose flags agree:", checked)
    assert checked > 100


judge_states()
judge_sums()
judge_frames()
