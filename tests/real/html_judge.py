"""html_judge.py FOLDER: looks at the pages that tests/real/test_html.sh made there, in Chromium."""

import json
import os
import sys

from browser import Browser

folder = sys.argv[1]
browser = Browser(folder)


def look(name, **how):
    seconds = browser.open(os.path.join(folder, name), **how)
    if how.get("scripts", True):
        assert browser.complaints() == [], (name, browser.complaints())
    assert all(url.startswith("file://") for url in browser.requests()), browser.requests()
    assert len(browser.requests()) == 1, browser.requests()
    return seconds


def painted(selector):
    """How many colours a canvas shows."""
    return browser.evaluate("""(canvas => {
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return new Set(new Uint32Array(data.buffer)).size; })(document.querySelector(%s))""" %
                            json.dumps(selector))


def text(selector):
    return browser.evaluate(f"document.querySelector({json.dumps(selector)}).textContent")


def choose(label, value):
    browser.evaluate("""[...document.querySelectorAll("label")].filter(label =>
        label.textContent.startsWith(%s)).forEach(label => { const input = label.querySelector("select");
        input.value = %s; input.dispatchEvent(new Event("change")); })""" %
                     (json.dumps(label), json.dumps(value)))


def numbers():
    report = json.load(open(os.path.join(folder, "python.json")))
    copied = report["copies"] * 4096
    assert browser.evaluate("totals().sum") == copied, (browser.evaluate("totals().sum"), copied)
    choose("Count", "127")
    writes = report["first_writes"] if "first_writes" in report else None
    total = browser.evaluate("totals().sum")
    assert total > copied and writes in (None, total // 4096), (total, writes)
    choose("Count", "22")


def page_map():
    assert painted(".pages canvas") > 2, "no page map"
    browser.place(".regions canvas")
    browser.wait("document.querySelector('.regions canvas').drawnWidth > 0")
    assert painted(".regions canvas") > 1, "no strip"
    assert int(browser.evaluate("document.querySelector('.pages canvas').dataset.drawn")) > 0
    x, y, width, height = browser.place(".pages canvas")
    for cell in range(64):
        browser.move(x - width / 2 + (cell + 0.5) * width / 64, y - height / 2 + 3)
        tip = text("#tip")
        assert tip.startswith("0x"), tip
        if "at +" in tip:
            break
    assert "at +" in tip and "(" in tip, tip
    assert not browser.evaluate("document.getElementById('tip').hidden")
    browser.evaluate("document.querySelector('.pages canvas').focus()")
    before = text("#inspector h4")
    for key in "ArrowRight", "n", "+", "-", "ArrowDown", "p", "0":
        browser.key(key)
    places = [before]
    for key in "n", "n", "p", "ArrowRight", "ArrowLeft":
        browser.key(key)
        places.append(text("#inspector h4"))
    assert all(place.startswith("0x") for place in places), places
    assert places[1] != places[2] and places[3] == places[1] and places[4] != places[3] and places[5] == places[3], places
    assert browser.evaluate("document.querySelectorAll('#inspector li').length") > 1
    for by in "state", "time", "kind":
        choose("Colours", by)
        assert painted(".pages canvas") > 1, by


def flame_drawn():
    browser.place("#flame")
    browser.wait("document.querySelectorAll('.flame g').length > 1")


def flame():
    flame_drawn()
    count = browser.evaluate("document.querySelectorAll('.flame g').length")
    assert count > 20, count
    middle = """(g => { g.scrollIntoView({block: 'center'}); const b = g.getBoundingClientRect();
        return [b.left + b.width / 2, b.top + 5]; })([...document.querySelectorAll('.flame g')].find(
        g => g.textContent.startsWith('child')))"""
    x, y = browser.evaluate(middle)
    browser.move(x, y)
    assert "% of all" in text("#tip"), text("#tip")
    browser.move(x, y, press=True)
    width = browser.evaluate("""[...document.querySelectorAll('.flame g')].find(g =>
        g.textContent.startsWith('child')).getBoundingClientRect().width /
        document.querySelector('.flame').clientWidth""")
    assert width > 0.98, f"zoom: {width}"
    browser.evaluate("document.querySelector('.flame').focus()")
    browser.key("Escape")
    assert browser.evaluate("document.querySelectorAll('.flame g').length") == count
    browser.key("ArrowDown")
    browser.key("Enter")
    assert browser.evaluate("document.querySelector('.flame .cursor').textContent") != "all"
    browser.key("Escape")
    browser.evaluate("document.querySelector('main').focus(), document.activeElement.blur()")
    browser.key("/")
    for letter in "gc_":
        browser.key(letter)
    found = browser.evaluate("document.querySelectorAll('.flame .found').length")
    assert found > 0 and "by what is searched for" in text("#flame .status"), found
    rows = browser.evaluate("[...document.querySelectorAll('table[data-by=function] tbody tr')].map(r => r.textContent)")
    assert rows and all("gc_" in row for row in rows), rows
    browser.evaluate("choose({search: ''}), 1")


def tables():
    first = "document.querySelector('table[data-by=function] tbody tr').textContent"
    name = "document.querySelector('table[data-by=function] thead th:last-child button').click()"
    before = browser.evaluate(first)
    browser.evaluate(name)
    assert browser.evaluate(first) != before, "a click does not sort"
    assert browser.evaluate("document.querySelector('table[data-by=function] [aria-sort]').textContent") == "function"
    browser.evaluate("document.querySelector('#processes button.process').click()")
    assert browser.evaluate("chosen.process") == 0
    browser.evaluate("document.querySelector('#processes button.process').click()")
    assert browser.evaluate("chosen.process") == -1


def time_line():
    assert browser.evaluate("document.querySelectorAll('.lane path.copied').length") >= 4
    x, y, width, _ = browser.place(".lane")
    browser.move(x, y)
    assert "copied" in text("#tip"), text("#tip")


def without_scripts():
    look("python.html", scripts=False)
    browser.screenshot(os.path.join(folder, "noscript.png"))
    # Nothing can be evaluated in such a page: its picture of the document tells.
    root = browser.call("DOM.getDocument", depth=-1)["root"]
    page = browser.call("DOM.getOuterHTML", nodeId=root["nodeId"])["outerHTML"]
    for part in "processes copied", "By stack", "Copied on each side", "attributed":
        assert part in page, part
    assert page.count("<tr>") > 50, page.count("<tr>")
    assert "Scripts are off" in page


def hostile():
    look("hostile.html")
    assert browser.evaluate("typeof hit") == "undefined"
    assert browser.evaluate("document.querySelectorAll('img, iframe').length") == 0
    scripts = browser.evaluate("[...document.scripts].map(s => s.type)")
    assert scripts.count("") == 2 and set(scripts) <= {"", "application/json"}, scripts
    page = browser.evaluate("document.body.innerText")
    assert page.count("<script>hit()</script>") >= 3, page[:3000]
    assert "</script x>" in browser.evaluate("chosen.recording.processes[0].labels[0][2]")
    assert "\x1b" not in page and "\u2028" not in page
    strings = browser.evaluate("chosen.recording.strings")
    assert any(string.startswith("</script><script>hit()") for string in strings), strings
    region = "chosen.recording.processes[0].regions.find(region => region.name === 'one tebibyte')"
    assert browser.evaluate(f"{region}.pages") == 1 << 28
    choose("Count", "127")
    browser.evaluate("""[...document.querySelectorAll('.regions [role=listitem]')].find(row =>
        row.textContent.includes('one tebibyte')).firstChild.click()""")
    assert painted(".pages canvas") > 2
    assert browser.evaluate("Number(document.querySelector('.pages canvas').dataset.drawn)") == 1000
    browser.evaluate("document.querySelector('.check input').click()")
    assert browser.evaluate("Number(document.querySelector('.pages canvas').dataset.drawn)") == 1000
    assert painted(".pages canvas") > 2


def before_and_after():
    look("change.html")
    assert "after" in text("h1") and "before" in text("h1")
    assert browser.evaluate("document.querySelectorAll('#growth tbody tr').length") > 5
    flame_drawn()
    assert browser.evaluate("document.querySelectorAll('.flame.compared g').length") > 20
    for node in browser.evaluate("""[...document.querySelectorAll('.flame g')].map(g => [g.__data__.value,
            g.__data__.paired, ...g.querySelector('rect').getAttribute('fill').match(/\\d+/g).map(Number)])"""):
        now, before, red, _, blue = node
        assert now == before or (now > before) == (red > blue) or abs(now - before) < before / 20, node
    after = browser.evaluate("totals().sum")
    choose("Recording", "0")
    assert browser.evaluate("chosen.recording.number") == 0
    assert browser.evaluate("totals().sum") != after
    assert browser.evaluate("document.querySelector('#processes [data-recording=\"1\"]').hidden")


def large():
    seconds = look("large.html")
    assert browser.evaluate("d3.sum(chosen.recording.processes[0].runs.pages)") == 2000000
    assert painted(".pages canvas") > 3
    print(f"two million pages: drawn after {seconds:.1f} s, "
          f"{os.path.getsize(os.path.join(folder, 'large.html')) / 1e6:.1f} MB")


def layouts():
    """No part is wider than the window; dark follows the system."""
    for name in "python", "redis", "change":
        for width in 1280, 390:
            for dark in False, True:
                look(f"{name}.html", width=width, dark=dark)
                wide = browser.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, (name, width, wide)
                ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
                assert (ground == "rgb(255, 255, 255)") != dark, ground
                browser.screenshot(os.path.join(
                    folder, f"{name}-{width}-{'dark' if dark else 'light'}.png"))


try:
    look("python.html")
    for part in (numbers, page_map, flame, tables, time_line, hostile, before_and_after, large,
                 layouts, without_scripts):
        part()
        assert browser.complaints() == [], (part.__name__, browser.complaints())
        print(part.__name__)
finally:
    browser.close()
