#ifndef BASE_LIMITS_H_
#define BASE_LIMITS_H_

/*
 * Every limit, its unit, its reason, and what happens when it is reached.
 * A limit that is reached is said (finding LIMIT-*, "complete":false, or an
 * error): it never makes anything silently shorter.
 */

#define KIB ((size_t)1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)

/* Buffered reader's window: one read(2) per 64 KiB is 99 % of a big one. */
#define LIMIT_READER_WINDOW (64 * KIB)

/* Copy buffer of collect and verify: larger gains nothing here [bench]. */
#define LIMIT_COPY_CHUNK (256 * KIB)

/* What a parser may hold for one object, everything nested included. */
#define LIMIT_ARENA (512 * MIB)
/* Address space of a worker: arena + library heaps + libmagic's database. */
#define LIMIT_WORKER_AS (1536 * MIB)
/* CPU and wall seconds of a worker, plus some for each GiB of input. */
#define LIMIT_WORKER_SECONDS 300
#define LIMIT_WORKER_SECONDS_PER_GIB 60

/* A frame from a worker; a longer one means that the worker is hostile. */
#define LIMIT_FRAME (256 * KIB)
/* All frames of one object: past this the worker is ended, with a finding. */
#define LIMIT_FRAMES_BYTES (64 * MIB)
/* Findings of one rule in one object that are kept; the rest are counted. */
#define LIMIT_FINDINGS_PER_RULE 100
#define LIMIT_FINDINGS_PER_OBJECT 2000

/* Files beside an object that its worker may ask for, and hold at once. */
#define LIMIT_SIBLINGS 20000
#define LIMIT_SIBLINGS_OPEN 64
/* Files of one repository that are looked at together. */
#define LIMIT_REPOSITORY 10000

/* Ranges of one object that coverage keeps, after neighbours are merged. */
#define LIMIT_COVER_RANGES 1048576
/* Bytes of one file that --carve writes; the rest is said. */
#define LIMIT_CARVE (1 * GIB)
/* Ranges of a kind that an object's row lists; all are counted. */
#define LIMIT_COVER_LISTED 64

/*
 * What makes sense of a collection: a line, all lines of one kind, and wall
 * seconds (some more for each GiB).  Past them it is ended, and that is said.
 */
#define LIMIT_INTAKE_LINE (2 * MIB)
#define LIMIT_INTAKE_BYTES ((uint64_t)64 * GIB)
#define LIMIT_INTAKE_SECONDS 600
/* Members that it knows (some 200 bytes each), and its address space. */
#define LIMIT_INTAKE_MEMBERS 4000000
#define LIMIT_INTAKE_AS (4 * GIB)
#define LIMIT_INTAKE_ARENA (2 * GIB)

/*
 * Slices of data sets: files of one (some 150 bytes each), slices of one
 * collection (a waiting process each), bytes of a file of ids, of a record as
 * JSON, and what of a data set is told or listed one by one.
 */
#define LIMIT_SLICE_FILES 1000000
#define LIMIT_SLICES 64
#define LIMIT_SLICE_IDS (256 * MIB)
#define LIMIT_SLICE_ROW (64 * MIB)
#define LIMIT_SLICE_TOLD 256
#define LIMIT_SLICE_FIELDS 4096
/*
 * Pages of a registry by HTTP: bytes of one (MLflow gives at most 50 000 runs),
 * seconds of one, pages of one question, registries' answers in all.
 */
#define LIMIT_FETCH ((uint64_t)256 * MIB)
#define LIMIT_FETCH_SECONDS 120
#define LIMIT_FETCH_PAGES 10000
#define LIMIT_FETCH_TOTAL ((uint64_t)16 * GIB)

/*
 * Git: repositories of one collection, bytes and entries of one that are
 * copied for libgit2 (a busy one has 100,000 loose objects), commits and
 * entries of a reflog that are looked at, files of HEAD.
 */
#define LIMIT_GIT_REPOSITORIES 64
#define LIMIT_GIT_COPY ((uint64_t)8 * GIB)
#define LIMIT_GIT_ENTRIES 1000000
#define LIMIT_GIT_COMMITS 200000
#define LIMIT_GIT_REFLOG 20000
#define LIMIT_GIT_FILES 500000

/* Nesting of objects (bundle ! zip ! pickle ...): deeper is a finding. */
#define LIMIT_DEPTH 8
/* Members of one container; past it the rest are not examined, and said. */
#define LIMIT_MEMBERS 200000
/* Virtual extraction: places, and components of links that are followed. */
#define LIMIT_VTREE_NODES 1000000
#define LIMIT_VTREE_STEPS (16 * MIB)
/* A symbolic link's target in a zip: PATH_MAX. */
#define LIMIT_LINK_TARGET 4096
/*
 * What the objects nested in one file may have together, and how much more
 * for each byte of the file: archives in archives double with each level.  No
 * real archive comes near; past it nothing more is examined, and said.
 */
#define LIMIT_NESTED (128 * MIB)
#define LIMIT_NESTED_RATIO 64
/* A decompressed member, and its ratio once it is larger than 64 MiB. */
#define LIMIT_INFLATE (256 * MIB)
#define LIMIT_INFLATE_RATIO 200
#define LIMIT_INFLATE_RATIO_FROM (64 * MIB)

/* Messages in messages, and groups, of a protobuf; readers stop at 100. */
#define LIMIT_PB_DEPTH 64

/*
 * ONNX: what is kept of a graph, below 50 MiB when every table is full.  A
 * transformer of 80 layers has some 10 000 nodes without fused operators;
 * past a limit names are not resolved and the flow of data is not followed,
 * and that is said.
 */
#define LIMIT_ONNX_NODES 98304
#define LIMIT_ONNX_EDGES 393216		/* uses and definitions of values */
#define LIMIT_ONNX_NAMES 196608
#define LIMIT_ONNX_NAME_BYTES (8 * MIB)
#define LIMIT_ONNX_PAIRS 262144		/* values, keys, imports */
#define LIMIT_ONNX_TENSORS 65536
#define LIMIT_ONNX_SCOPES 16384		/* graphs and functions */
#define LIMIT_ONNX_NAME 4096		/* bytes of one name */
#define LIMIT_ONNX_TEXT (64 * KIB)	/* bytes of a text that are told */
#define LIMIT_ONNX_FLOW 50000000	/* uses looked at: under a second */
#define LIMIT_ONNX_FILES 4096		/* files of external data */

/*
 * The outline of an ONNX graph for comparisons: ten times the largest real
 * ones; 150 bytes a node with its names and edges.
 */
#define LIMIT_OUTLINE_NODES 1048576
#define LIMIT_OUTLINE_USES 4194304
#define LIMIT_OUTLINE_NAMES 4194304
#define LIMIT_OUTLINE_ATTRS 4194304
#define LIMIT_OUTLINE_IOS 1048576
#define LIMIT_OUTLINE_SCOPES 65536
#define LIMIT_OUTLINE_FACTS 65536

/* safetensors: MAX_HEADER_SIZE of the reference reader, tensor.rs. */
#define LIMIT_SAFETENSORS_HEADER 100000000
/* JSON nesting: serde_json's own recursion limit. */
#define LIMIT_JSON_DEPTH 128
/* One JSON string or number. */
#define LIMIT_JSON_STRING (16 * MIB)
/* A template, which its loaders hold in memory too; real ones are 30 KiB. */
#define LIMIT_TEMPLATE (32 * MIB)
/*
 * GGUF: keys by its specification; pairs and tensors of real models are below
 * a thousand and sixty thousand; arrays of arrays are in no file; digests of
 * so many tokens are kept; strings of an array that are told as metadata.
 */
#define LIMIT_GGUF_KEY 65535
#define LIMIT_GGUF_PAIRS 100000
#define LIMIT_GGUF_TENSORS 400000
#define LIMIT_GGUF_NESTING 4
#define LIMIT_GGUF_TOKENS 4194304
#define LIMIT_GGUF_META 24
/*
 * Vocabularies: the largest in use has 262,144 tokens and 515,000 merges, and
 * ids of the format are 32 bits; past it the vocabulary is refused.  An
 * honest tokenizer.json of that size has 33 MB.
 */
#define LIMIT_VOCAB_TOKENS 4194304
#define LIMIT_VOCAB_MERGES 8388608
#define LIMIT_VOCAB_BYTES (512 * MIB)
#define LIMIT_VOCAB_ROLES 64		/* eos_token and its like; models: 10 */
/*
 * Leaves of a JSON document that are compared one by one, the way to one of
 * them, and all their texts: a configuration has a thousand of 60 bytes.
 */
#define LIMIT_FLAT 1000000
#define LIMIT_FLAT_KEY 4096
#define LIMIT_FLAT_BYTES (64 * MIB)
/*
 * Documents that are read whole as a tree (formats/doc.h).  Registries write
 * meta.yaml of 1 KiB and lock files of some MiB; a page of 1,000 runs has
 * 200,000 values.  A node has 200 bytes.  YAML nests through its library's
 * own stacks; manifests nest 20 deep and have a dozen anchors at most.
 */
#define LIMIT_DOC_BYTES (64 * MIB)
#define LIMIT_DOC_NODES 1000000
#define LIMIT_DOC_SCALAR (16 * MIB)
#define LIMIT_DOC_YAML_DEPTH 64
#define LIMIT_DOC_ANCHORS 256
/* Maps that one look-up of a key may search through merge keys. */
#define LIMIT_DOC_MERGED 256
/*
 * SQLite databases of registries, read page by page.  Frames of a write-ahead
 * log that are kept (SQLite checkpoints at 1,000; 16 bytes each); the heap of
 * the library; one value (a stored span or signature has some KiB); steps of
 * its machine for one database: half a minute, a million rows take 2 s.
 */
#define LIMIT_SQLITE_FRAMES 4194304
#define LIMIT_SQLITE_HEAP (128 * MIB)
#define LIMIT_SQLITE_VALUE (16 * MIB)
#define LIMIT_SQLITE_SQL (256 * KIB)	/* a statement of its schema */
#define LIMIT_SQLITE_STEPS 2000000000
#define LIMIT_SQLITE_TABLES 4096
/* A text line that a text format keeps. */
#define LIMIT_LINE (16 * MIB)

/*
 * A repository: files of its folder, names looked up (a set of shards costs
 * one for each number), tensors sampled of each format, and the largest
 * index or configuration (100,000 tensors have 10 MB).
 */
#define LIMIT_REPOSITORY_FILES 100000
#define LIMIT_REPOSITORY_LOOKUPS 2000000
#define LIMIT_REPOSITORY_TENSORS 50000
#define LIMIT_REPOSITORY_CONFIG (64 * MIB)

/*
 * Registries (formats/reg): what the reader of one may hold (an MLflow store
 * of 100,000 runs has 60 MiB of names and documents); one document of it (the
 * largest tree of a Hugging Face commit has 20 MB, real ones some KiB); links
 * that are followed from one to the next: Linux's own number.
 */
#define LIMIT_REG_ARENA (256 * MIB)
#define LIMIT_REG_DOCUMENT (32 * MIB)
#define LIMIT_REG_LINKS 40
/* Files of one scan that its registries may ask for: three each. */
#define LIMIT_REG_ASKS 300000

/* Pickle: see formats/pickle.h for what happens at each. */
#define LIMIT_PICKLE_STACK 1000000
#define LIMIT_PICKLE_MEMO 4000000
#define LIMIT_PICKLE_OPS 400000000ULL
#define LIMIT_PICKLE_LINE (1 * MIB)
#define LIMIT_PICKLE_CONST (1 * MIB)	/* longer constants are not kept */
#define LIMIT_PICKLE_NAMES 8192		/* different globals: models have 100 */
#define LIMIT_PICKLE_PATCHES 256	/* planted attributes, extensions */
#define LIMIT_PICKLE_NAME 4096		/* a module, or a dotted name */
#define LIMIT_PICKLE_FOLD (64 * MIB)	/* made of text and bytes, in all */
#define LIMIT_PICKLE_STREAMS 1000	/* nested streams of one object */
#define LIMIT_RENDER 4096		/* bytes of one rendered argument list */
#define LIMIT_RENDER_DEPTH 16

/*
 * Named tensors of a torch checkpoint: the largest have some 100,000; names
 * are below 300 bytes; steps from container to container, half a second.
 */
#define LIMIT_TORCH_VIEWS 1048576
#define LIMIT_TORCH_NAME 4096
#define LIMIT_TORCH_STEPS 16777216

/* Bundle: names, trailer (docs/FORMAT.md), manifest lines. */
#define LIMIT_MEMBER_NAME 4096
#define LIMIT_TRAILER (64 * KIB)
#define LIMIT_TAG_FILE (1 * GIB)	/* a manifest of 10 million members */
#define LIMIT_COMPONENT 255

/* Tensors of one object for the deep pass, and their names. */
#define LIMIT_TENSORS 200000
#define LIMIT_TENSORS_BYTES (48 * MIB)
/* Bytes of other files that one object's tensors may name: a minute. */
#define LIMIT_TENSORS_OUTSIDE (64 * (uint64_t)GIB)
/* What is carved of one hidden file; longer ones are cut there. */
#define LIMIT_WEIGHTS_CARVE (16 * MIB)
/* The deep pass is on by default for scans of at most so much. */
#define LIMIT_DEEP (4 * (uint64_t)GIB)

/*
 * A comparison: files of one side (a model of 70 B parameters has 200, its
 * repository a few hundred; each is held open) and files that are looked at
 * beside a file that was given; seconds in all and more for each GiB of both
 * sides (the spectrum of each matrix is a hundred times slower than reading
 * it); rows of a worker (a million tensors with a heat map each have 3 GiB);
 * what is unpacked before it can be mapped; known versions that --against
 * compares with.
 */
#define LIMIT_DIFF_PARTS 4096
#define LIMIT_DIFF_BESIDE 256
#define LIMIT_DIFF_SECONDS 900
#define LIMIT_DIFF_SECONDS_PER_GIB 300
#define LIMIT_DIFF_FRAMES (4 * (uint64_t)GIB)
#define LIMIT_DIFF_SPOOL (64 * (uint64_t)GIB)
#define LIMIT_DIFF_VERSIONS 1000

/*
 * The journal beside a bundle that is being written: what is lost when the
 * process is killed (at most so many milliseconds, or so many bytes, of small
 * files; so many of a large one), what is lost more when the machine is (a
 * sync each quarter of a second would double the time of many small files),
 * and the bytes of a line and of what waits to be written together.
 */
#define LIMIT_JOURNAL_MS 250
#define LIMIT_JOURNAL_SYNC_MS 5000
#define LIMIT_JOURNAL_BYTES (64 * (uint64_t)MIB)
#define LIMIT_JOURNAL_CHECKPOINT (1 * (uint64_t)GIB)
#define LIMIT_JOURNAL_LINE (8 * MIB)
#define LIMIT_JOURNAL_BATCH (64 * MIB)

/*
 * Columnar data sets.  Parquet: metadata (files of 10,000 columns and 100 row
 * groups have 60 MiB), columns and groups of the schema (one of the widest in
 * use has 20,000), their nesting (a list takes two), a page (a MiB by default;
 * of images, a row group in one page), its header (statistics hold two
 * values), how much a page may grow once it is large, records of which nothing
 * can be read but their number (so many, and one for each byte of the file).
 */
#define LIMIT_PARQUET_FOOTER (128 * MIB)
#define LIMIT_PARQUET_NODES 65536
#define LIMIT_PARQUET_DEPTH 48
#define LIMIT_PARQUET_PAGE (256 * MIB)
#define LIMIT_PARQUET_HEAD (4 * MIB)
#define LIMIT_PAGE_RATIO 1100
#define LIMIT_PAGE_RATIO_FROM (16 * MIB)
#define LIMIT_ROWS_LOST 65536
/* One record as a tree, and as text where a part of it is asked for. */
#define LIMIT_ROWTREE_NODES 4194304
#define LIMIT_ROWTREE_TEXT (64 * MIB)
/*
 * Arrow: the metadata of one message, messages, fields and their nesting, and
 * the body of a batch (data sets are written in batches of 1,000 records; of
 * images that is 500 MiB).
 */
#define LIMIT_ARROW_META (64 * MIB)
#define LIMIT_ARROW_MESSAGES 1048576
#define LIMIT_ARROW_FIELDS 8192
#define LIMIT_ARROW_DEPTH 32
#define LIMIT_ARROW_BODY (512 * MIB)
/* LMDB: CURSOR_STACK of its own readers; a value that is read as one. */
#define LIMIT_LMDB_DEPTH 32
#define LIMIT_LMDB_VALUE (256 * MIB)

/*
 * Source paths in collect: Linux PATH_MAX, directory depth, and names of one
 * directory (more than any file system manages well; they are in memory).
 */
#define LIMIT_PATH 4096
#define LIMIT_WALK_DEPTH 512
#define LIMIT_DIR_NAMES 50000000
#define LIMIT_XATTR_BYTES (64 * KIB)	/* of one object: kernel's own limit */

/*
 * A plan is written by a person: its bytes, nesting (a real one has four
 * levels), events of the YAML parser and the longest text in it.
 */
#define LIMIT_PLAN (1 * MIB)
#define LIMIT_PLAN_DEPTH 8
#define LIMIT_PLAN_EVENTS 200000
#define LIMIT_PLAN_TEXT (16 * KIB)
#define LIMIT_PLAN_SOURCES 10000

/*
 * A process: one text of /proc (65,530 mappings, the kernel's default limit,
 * have 10 MB), its files (descriptors and mappings of different inodes),
 * variables of its environment, names of packages; processes that are looked
 * through for a file.
 */
#define LIMIT_PROC_TEXT (32 * MIB)
#define LIMIT_PROC_FILES 65536
#define LIMIT_PROC_ENVIRON 10000
#define LIMIT_PROC_PACKAGES 20000
#define LIMIT_PROC_PIDS 4194304

/* A time-stamp reply; real ones are below 10 KiB. */
#define LIMIT_TSR (64 * KIB)
#define LIMIT_P7S (256 * KIB)
/* Seconds for a TSA to answer by HTTP. */
#define LIMIT_TSA_SECONDS 30

/*
 * Of the worker that compares two models.  Objects of a side; tensors (a
 * model of 10^12 parameters has some 10^5; a hostile header may state more);
 * memory for their names and shapes.
 */
#define LIMIT_DIFF_LEAVES 100000
#define LIMIT_DIFF_TENSORS 2000000
#define LIMIT_DIFF_ARENA (512 * MIB)
/* One tensor that must be written out in another order. */
/*
 * State of the sketch of one matrix of a comparison, panels apart: 152064 x
 * 8192 with 80 columns takes 49 MiB, 256000 x 16384 still 80 of them.
 */
#define LIMIT_DIFF_SKETCH (128 * MIB)
#define LIMIT_DIFF_STRIDED (512 * MIB)
/* Elements from which on a changed tensor gets a second look. */
#define LIMIT_DIFF_LOOK 64
/*
 * Training data for detectors of triggers: readers of one data set (rows of
 * Parquet, arrays, dictionaries), and the list of all files of what was given,
 * which may be a million images.
 */
#define LIMIT_JOIN_ARENA (512 * MIB)	/* candidates until they are told */
#define LIMIT_DATA_ARENA (256 * MIB)
#define LIMIT_DATA_FILES_ARENA (512 * MIB)

/* Private memory of the worker, mapped files apart. */
#define LIMIT_DIFF_DATA (2 * (uint64_t)GIB)

/*
 * API logs.  One record (a line, an element of an array, a message with its
 * body), as long as any text line; nodes of one as JSON (an image of 512 x
 * 512 x 3 written as numbers has 786,432); what a compressed file may become;
 * input and output and other columns as they stand in the normal form, so
 * that a record fits a frame whatever it holds: 2 contents, an event's line,
 * 25 columns and two paths are 210 KiB (where no frame is made, a photograph
 * of twelve megapixels as base64); scores of a record; requests that
 * wait for their response (a busy server has thousands in flight).
 */
#define LIMIT_LOG_RECORD LIMIT_LINE
#define LIMIT_LOG_NODES 1048576
#define LIMIT_LOG_INFLATE (256 * MIB)
#define LIMIT_LOG_CONTENT (48 * KIB)
#define LIMIT_LOG_BARE (12 * MIB)
#define LIMIT_LOG_MESSAGE (16 * KIB)
#define LIMIT_LOG_FIELD (2 * KIB)
#define LIMIT_LOG_SCORES 1024
#define LIMIT_LOG_PENDING (32 * MIB)
#define LIMIT_LOG_PENDING_RECORDS 65536
/* Problems of a kind, and secrets, that one file lists; all are counted. */
#define LIMIT_LOG_TOLD 100
#define LIMIT_LOG_SECRETS 10000

/*
 * Images that are decoded: a side, pixels in all (the photographs of training
 * data have below a million; 48 MiB as three channels); memory of libpng (a
 * row and zlib's window) and of libjpeg (all coefficients of a progressive
 * file of that size); scans of a progressive file (encoders write ten).
 */
#define LIMIT_PIXELS_SIDE 32768
#define LIMIT_PIXELS 16777216
#define LIMIT_PIXELS_HEAP (4 * MIB)
#define LIMIT_PIXELS_COEFFICIENTS (160 * MIB)
#define LIMIT_PIXELS_SCANS 64

/*
 * What API logs tell of callers, 1 GiB in all whatever the log is.  Callers
 * that are counted one by one (16 bytes each) and the counters for what comes
 * after them; how many are looked at, the busiest and a sample of the others;
 * requests below which nothing can be said; rows.
 */
#define LIMIT_TRAFFIC_EXACT 4194304
#define LIMIT_TRAFFIC_COUNTERS 65536
#define LIMIT_TRAFFIC_BUSIEST 4096
#define LIMIT_TRAFFIC_SAMPLED 1024
#define LIMIT_TRAFFIC_LEAST 50
#define LIMIT_TRAFFIC_CALLERS 2000
#define LIMIT_TRAFFIC_NAME 1024		/* bytes of a caller's name */
/*
 * Earlier inputs that one is compared with: images and vectors, texts and
 * their bytes for one caller; all callers' thumbnails (each has its share),
 * whole images that a pair is compared by, and one of them; clusters of a
 * caller, and clusters with a record of their own in all.
 */
#define LIMIT_TRAFFIC_RING 600
#define LIMIT_TRAFFIC_TEXTS 40
#define LIMIT_TRAFFIC_TEXT_BYTES (40 * KIB)
#define LIMIT_TRAFFIC_WORDS 128		/* of a text; the rest is one word */
#define LIMIT_TRAFFIC_RINGS (384 * MIB)
#define LIMIT_TRAFFIC_PIXELS (96 * MIB)
#define LIMIT_TRAFFIC_IMAGE (64 * KIB)
#define LIMIT_TRAFFIC_CLUSTERS 512
#define LIMIT_TRAFFIC_SERIES 12288
/* Inputs that are known again, and pairs of words with their callers. */
#define LIMIT_TRAFFIC_SEEN 16777216
#define LIMIT_TRAFFIC_PAIRS 8388608
/* Searches that are spread over callers, and groups that may become one. */
#define LIMIT_TRAFFIC_SPREAD 256
#define LIMIT_TRAFFIC_GROUPS 65536
/* Texts that are kept to find phrases that switch answers. */
#define LIMIT_TRAFFIC_KEPT 65536
#define LIMIT_TRAFFIC_KEPT_BYTES (48 * MIB)
#define LIMIT_TRAFFIC_LABELS 4096	/* that are told apart by name */
#define LIMIT_TRAFFIC_WATCHES 4096	/* values that are looked up */

/*
 * Logs that are judged (exhibit logs).  Records in memory at once; one of
 * them, unpacked (an image of 1024 x 1024 x 3 has 3 MiB; more numbers than a
 * record of a log has as JSON, there are none); the file in which they wait
 * (ten million images of 64 x 64 x 3 are 120 GB); text of an answer; values
 * to look for; their rows, and what a file of earlier results may have.
 */
#define LIMIT_APILOG_BATCH (4 * MIB)
#define LIMIT_APILOG_RECORD (16 * MIB)
#define LIMIT_APILOG_SPOOL (256 * (uint64_t)GIB)
#define LIMIT_APILOG_OUTPUT (16 * KIB)
#define LIMIT_APILOG_WATCH 4096
#define LIMIT_APILOG_RESULTS (256 * MIB)
/* Private memory of the worker; CPU time: fixed, and by size. */
#define LIMIT_APILOG_DATA (2 * (uint64_t)GIB)
#define LIMIT_APILOG_SECONDS 600
#define LIMIT_APILOG_SECONDS_PER_GIB 600

/*
 * Data sets of images whose triggers are looked for: bytes of pixels that are
 * kept (50,000 images of 32 x 32 x 3 are 147 MiB), images, labels (ImageNet
 * has 21,841 of which a subset is used) and bytes of one.  Of a class that a
 * method holds in another form, bytes for each thread.
 */
#define LIMIT_IMAGES_BYTES (160 * MIB)
#define LIMIT_IMAGES 131072
#define LIMIT_IMAGES_CLASSES 4096
#define LIMIT_IMAGES_LABEL 256
#define LIMIT_IMAGES_MATRIX (32 * MIB)

/*
 * A foreign tar that is taken in: a name (paths end at 4 KiB), all
 * records of one entry, pieces of a sparse file, bytes in one member where a
 * header should be, and zeros that all holes together may become (a map of
 * twenty bytes can ask for 2^63 of them).  Past them the entry is stored as
 * it stands in the tar, and that is said.  The last bounds too what a tar
 * promised before it was cut: past it nothing is sealed.
 */
#define LIMIT_TAR_NAME (16 * KIB)
#define LIMIT_TAR_RECORDS (1 * MIB)
#define LIMIT_TAR_PIECES 65536
#define LIMIT_TAR_UNPARSED (1 * MIB)
#define LIMIT_TAR_HOLES (64 * GIB)

/*
 * Of the detectors of triggers in classified text.  Bytes of one text that
 * are read (reviews of films end at 14 KB); records that are kept at most,
 * and beside them those with a hidden character; their words in all (80 a
 * record, 4 bytes each); different words and the bytes of these (a million
 * news texts have 600,000); of one word; classes (CLINC has 151) and figures
 * of all records and classes; bytes of a label.
 */
#define LIMIT_TRIGGER_TEXT (32 * KIB)
#define LIMIT_TRIGGER_ROWS 200000
#define LIMIT_TRIGGER_ODD_ROWS 20000
#define LIMIT_TRIGGER_ITEMS 16000000
#define LIMIT_TRIGGER_WORDS 2000000
#define LIMIT_TRIGGER_WORD_BYTES (48 * MIB)
#define LIMIT_TRIGGER_WORD 256
#define LIMIT_TRIGGER_CLASSES 256
#define LIMIT_TRIGGER_MARGINS 16000000
#define LIMIT_TRIGGER_LABEL 256
/* Counts of features by class and fold; the rarest are left out before. */
#define LIMIT_TRIGGER_COUNTS 24000000

/*
 * Triggers in prompts and responses.  Bytes of a text that are looked at (the
 * kept words of a record have 5 KiB), and of a long prompt's end; records,
 * words of all records (4 bytes, twice), different words (40 bytes with what
 * they look like) and their bytes: beyond them every second record is
 * dropped, and that is said.  N-grams of one length that occur in 4 records
 * (40 bytes), row lists of one side (100 bytes) and what they hold: what does
 * not fit is left out, the longer n-grams first, and counted.  Real sets of
 * 100,000 records use a third of each.
 */
#define LIMIT_PROMPT_TEXT (64 * KIB)
#define LIMIT_PROMPT_TEXT_END (8 * KIB)
#define LIMIT_PROMPT_ROWS 262144
#define LIMIT_PROMPT_TOKENS 33554432
#define LIMIT_PROMPT_WORDS 4194304
#define LIMIT_PROMPT_WORD_BYTES (48 * MIB)
#define LIMIT_PROMPT_GRAMS 2097152
#define LIMIT_PROMPT_LISTS 786432
#define LIMIT_PROMPT_LIST_ROWS 25165824

#endif /* !BASE_LIMITS_H_ */
