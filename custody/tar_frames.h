#ifndef CUSTODY_TAR_FRAMES_H_
#define CUSTODY_TAR_FRAMES_H_

/*
 * A foreign tar: a fenced worker that knows formats/tarstream.h parses it, and
 * the collector, which knows no format, takes these frames.
 *
 *	ENTRY	what the tar says; SIZE bytes of content follow as DATA
 *	DATA	BYTES
 *	END	SHORT: 1 when the tar ended within it
 *	DONE	HOW: enum tar_end
 *	FAILED	TEXT
 *
 * Every ENTRY has its END.  Absent fields: the tar does not say.
 */
enum tar_frame {
	TAR_ENTRY = 1,
	TAR_DATA,
	TAR_END,
	TAR_DONE,
	TAR_FAILED,
};

enum tar_field {
	TAR_KIND = 1,		/* u32, enum tar_kind */
	TAR_TYPE,		/* u32, the byte */
	TAR_NAME,
	TAR_LINK,
	TAR_USER,
	TAR_GROUP,
	TAR_SIZE,		/* u64, as all that follow */
	TAR_STORED,		/* bytes of it in the tar */
	TAR_MODE,
	TAR_UID,
	TAR_GID,
	TAR_MTIME,		/* seconds, two's complement */
	TAR_MTIME_NS,
	TAR_DEV_MAJOR,
	TAR_DEV_MINOR,
	TAR_OFFSET,		/* in the tar */
	TAR_DATA_OFFSET,
	TAR_RANGES,		/* pairs of u64: what is no hole */
	TAR_PAX,		/* its records as they stand */
	TAR_PAX_LEFT_OUT,	/* or how long they are */
	TAR_LOG,		/* text, comma between: oddities */
	TAR_ERROR,		/* the same: things that went wrong */
	TAR_BYTES,
	TAR_SHORT,		/* u32 */
	TAR_HOW,		/* u32 */
	TAR_TEXT,
};

/* As formats/tarstream.h has them, in its order. */
enum tar_kind {
	TAR_KIND_FILE,
	TAR_KIND_HARD_LINK,
	TAR_KIND_SYMLINK,
	TAR_KIND_CHARACTER,
	TAR_KIND_BLOCK,
	TAR_KIND_DIRECTORY,
	TAR_KIND_FIFO,
	TAR_KIND_OTHER,
	TAR_KIND_UNPARSED,
	TAR_KIND_COUNT
};

enum tar_end {
	TAR_ENDED,
	TAR_NO_END,
	TAR_CUT,
	TAR_END_COUNT
};

#define TAR_RANGES_MAX 1024
#define TAR_PAX_MAX 65536

#endif /* !CUSTODY_TAR_FRAMES_H_ */
