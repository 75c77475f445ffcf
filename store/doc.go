// Package store keeps what must not be lost.
//
// In come records (what mail said) and decisions (what people ordered); out
// come the same in the order of their log, for as long as retention says. A
// call that returned nil is on disk. The package interprets nothing: what hits
// add up to is criteria's business.
//
// # Files
//
//	<dir>                   its lock says who may write: the daemon, or a restore
//	<dir>/ledger.db         bbolt; decisions, identity and secret
//	<dir>/hits-YYYYMMDD.db  bbolt; the records committed on one UTC day
//	<dir>/engine.snapshot   derived: the engine's state at a position of the log
//	<dir>/*.db.new          a file being made or rewritten; of no use after a crash
//	<dir>/before-schema-N   the files as they were before a migration to schema N
//
// Records are numbered by LSN (log sequence number): contiguous from 1, never
// used twice. A batch of records is stamped with one instant, in whole seconds,
// that never steps back even when the clock does; the day of a record is the
// day of its stamp. So both LSNs and stamps ascend through the files.
//
// # Layout
//
// Numbers in keys are 8 bytes, big-endian. Every value is
//
//	version (1 byte) | content | CRC-32C of bucket, key, version and content (4 bytes, big-endian)
//
// since bbolt checks nothing but its two meta pages. What a checksum cannot
// show, that a value is gone, the span does: it says which numbers a file holds
// and is written in the same transaction.
//
//	hits-*.db  "meta"      "store" → identity of the store, 16 bytes; "schema" → number;
//	                       "span" → first and last LSN; "decided" → how many
//	                       decisions the ledger had at the last commit
//	           "hit"       LSN → record, see Record.append
//	           "evidence"  LSN → the head of the message, zstd
//	ledger.db  "meta"      as above, the span being of decisions, and "secret" → 32 bytes
//	           "decision"  sequence → decision, JSON
//
// Nothing is ever deleted from a file but points, whose time ends with that of the
// hits beside them: bbolt neither clears what is deleted nor gives it back. A day
// without evidence is one that never had any, or a copy that took the place of the day
// when the time of its evidence had passed.
//
// engine.snapshot is "trapsnap" | identity | LSN | decision sequence | instant |
// state | CRC-32C.
package store
