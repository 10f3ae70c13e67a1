#include "formats/textscan.h"

static unsigned
text_bid(struct cursor head, uint64_t size)
{
	return textscan_head_any(head, size) ? 8 : 0;
}

const struct format format_text = {
    .name = "text",
    .kind = FORMAT_DATA,
    .bid = text_bid,
    .parse = textscan_any,
};
