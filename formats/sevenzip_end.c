#include "base/bytesrc.h"
#include "base/cursor.h"
#include "formats/format.h"
#include "formats/sevenzip_end.h"

/*
 * 7zFormat.txt, SignatureHeader:
 *
 *	0 signature 6, version 2   8 CRC of the following 20 bytes
 *	12 offset of the header, from byte 32   20 its size   28 its CRC
 *
 * The header is the last thing of an archive.  An end beyond the file is the
 * unpacker's to tell.
 */
#define HEAD 32

int
sevenzip_end_check(struct parse *p)
{
	uint8_t head[HEAD];
	uint64_t off, size;
	struct cursor c;
	size_t n;
	int r;

	if ((r = bytesrc_read_some(p->src, 0, head, sizeof(head), &n,
	    p->e)) < 0)
		return r;
	cursor_init(&c, head, n, 0);
	if (!cursor_skip(&c, 12) || !cursor_u64le(&c, &off) ||
	    !cursor_u64le(&c, &size) || p->size < HEAD ||
	    off > p->size - HEAD || size >= p->size - HEAD - off)
		return 0;
	off += HEAD + size;
	return format_anomaly(p, ANOMALY_TRAILING, off, p->size - off, NULL,
	    0);
}
