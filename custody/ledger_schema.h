#ifndef CUSTODY_LEDGER_SCHEMA_H_
#define CUSTODY_LEDGER_SCHEMA_H_

/*
 * The schema of case.db, version 1.  The text here is also what an opened
 * ledger is compared with, object by object, so a trigger that was dropped
 * or weakened is found: to change one is to write version 2 and a migration
 * that adds to it (signed heads, holds, transfers).
 *
 * CHECKs use no JSON function: with trusted_schema off SQLite 3.40 refuses
 * them, and bodies are made and read by our own strict code.
 */
#define LEDGER_APPLICATION_ID 0x45584842 /* "EXHB" */
#define LEDGER_USER_VERSION 1

/* Bodies are the only truth: leaf, prev and chain can be recomputed. */
#define LEDGER_SQL_EVENT \
	"CREATE TABLE event(" \
	"seq INTEGER PRIMARY KEY CHECK(seq>0), " \
	"body TEXT NOT NULL, " \
	"leaf BLOB NOT NULL CHECK(length(leaf)=32), " \
	"prev BLOB NOT NULL CHECK(length(prev)=32), " \
	"chain BLOB NOT NULL UNIQUE CHECK(length(chain)=32)) STRICT"

/* Roots of the perfect subtrees; level 0 are the leaves. */
#define LEDGER_SQL_NODE \
	"CREATE TABLE node(" \
	"level INTEGER NOT NULL CHECK(level BETWEEN 0 AND 62), " \
	"idx INTEGER NOT NULL CHECK(idx>=0), " \
	"hash BLOB NOT NULL CHECK(length(hash)=32), " \
	"PRIMARY KEY(level,idx)) WITHOUT ROWID, STRICT"

/* One row for each sealed exhibit: an exhibit is sealed once. */
#define LEDGER_SQL_ITEM \
	"CREATE TABLE item(" \
	"exhibit TEXT PRIMARY KEY NOT NULL, " \
	"bundle_sha256 BLOB NOT NULL CHECK(length(bundle_sha256)=32), " \
	"size INTEGER NOT NULL CHECK(size>=0), " \
	"first_seq INTEGER NOT NULL REFERENCES event(seq)) STRICT"

/* Certificates; the event from_seq holds their digests. */
#define LEDGER_SQL_PARTY \
	"CREATE TABLE party(" \
	"cert_sha256 BLOB NOT NULL CHECK(length(cert_sha256)=32), " \
	"pem TEXT NOT NULL, " \
	"role TEXT NOT NULL, " \
	"from_seq INTEGER NOT NULL REFERENCES event(seq), " \
	"to_seq INTEGER REFERENCES event(seq), " \
	"PRIMARY KEY(role,cert_sha256)) STRICT"

#define LEDGER_SQL_SETTING \
	"CREATE TABLE setting(" \
	"key TEXT PRIMARY KEY NOT NULL, " \
	"value TEXT NOT NULL) STRICT"

#define LEDGER_SQL_FORBID(name, table, verb) \
	"CREATE TRIGGER " name " BEFORE " verb " ON " table " BEGIN " \
	"SELECT RAISE(ABORT,'the ledger is append-only'); END"

#define LEDGER_SQL_EVENT_ORDER \
	"CREATE TRIGGER event_order BEFORE INSERT ON event WHEN " \
	"NEW.seq<>(SELECT coalesce(max(seq),0)+1 FROM event) OR " \
	"NEW.prev<>coalesce((SELECT chain FROM event " \
	"ORDER BY seq DESC LIMIT 1),zeroblob(32)) BEGIN " \
	"SELECT RAISE(ABORT,'not the next event of the chain'); END"

#define LEDGER_SQL_NODE_ORDER \
	"CREATE TRIGGER node_order BEFORE INSERT ON node WHEN " \
	"NEW.idx<>(SELECT coalesce(max(idx),-1)+1 FROM node " \
	"WHERE level=NEW.level) BEGIN " \
	"SELECT RAISE(ABORT,'not the next node of its level'); END"

/* LEDGER_OBJECT(name, sql), in the order in which they are made. */
#define LEDGER_OBJECTS \
	LEDGER_OBJECT("event", LEDGER_SQL_EVENT) \
	LEDGER_OBJECT("node", LEDGER_SQL_NODE) \
	LEDGER_OBJECT("item", LEDGER_SQL_ITEM) \
	LEDGER_OBJECT("party", LEDGER_SQL_PARTY) \
	LEDGER_OBJECT("setting", LEDGER_SQL_SETTING) \
	LEDGER_OBJECT("event_no_update", \
	    LEDGER_SQL_FORBID("event_no_update", "event", "UPDATE")) \
	LEDGER_OBJECT("event_no_delete", \
	    LEDGER_SQL_FORBID("event_no_delete", "event", "DELETE")) \
	LEDGER_OBJECT("event_order", LEDGER_SQL_EVENT_ORDER) \
	LEDGER_OBJECT("node_no_update", \
	    LEDGER_SQL_FORBID("node_no_update", "node", "UPDATE")) \
	LEDGER_OBJECT("node_no_delete", \
	    LEDGER_SQL_FORBID("node_no_delete", "node", "DELETE")) \
	LEDGER_OBJECT("node_order", LEDGER_SQL_NODE_ORDER)

#endif /* !CUSTODY_LEDGER_SCHEMA_H_ */
