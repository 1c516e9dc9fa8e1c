/* The parts of the page that are files of their own, embedded when the tool is built. */
#ifndef COWSPY_TOOLS_HTML_ASSETS_H
#define COWSPY_TOOLS_HTML_ASSETS_H

#include <stddef.h>

struct html_asset {
	const char *bytes, *end;
	const char *hash; /* SHA-256 in base64, as a Content-Security-Policy names it */
};

extern const struct html_asset html_page, html_style, html_script, html_d3;

static inline size_t html_asset_size(const struct html_asset *asset)
{
	return (size_t)(asset->end - asset->bytes);
}

#endif
