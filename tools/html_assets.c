#include "html_assets.h"

#include "html/hashes.h"

/* The symbols NAME and NAME_end around a file's bytes. */
#define EMBED(name, path) \
	__asm__(".pushsection .rodata\n" #name ":\n.incbin \"" path "\"\n" #name "_end:\n" \
		".byte 0\n.popsection\n"); \
	extern const char name[], name##_end[]

EMBED(embedded_page, "tools/html/page.html");
EMBED(embedded_style, "tools/html/cow.css");
EMBED(embedded_script, HTML_FOLDER "/cow.js");
EMBED(embedded_d3, HTML_FOLDER "/d3.js");

const struct html_asset html_page = {embedded_page, embedded_page_end, NULL};
const struct html_asset html_style = {embedded_style, embedded_style_end, HASH_STYLE};
const struct html_asset html_script = {embedded_script, embedded_script_end, HASH_SCRIPT};
const struct html_asset html_d3 = {embedded_d3, embedded_d3_end, HASH_D3};
