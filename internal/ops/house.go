package ops

import "github.com/rs/zerolog"

// The house of the store: what store.Observer asks for.

// Migrated: the store was of an older schema; its files of before are in a folder.
func (e *Events) Migrated(from, to uint64, copied string) {
	e.line(zerolog.WarnLevel, "store-migrated", "").Uint64("from", from).Uint64("to", to).
		Str("copy", clean(copied)).Send()
}

// EvidenceDropped: the time of a day's evidence has passed; its file holds none any
// more, and has so many bytes less.
func (e *Events) EvidenceDropped(file string, bytes int64) {
	e.line(zerolog.InfoLevel, "evidence-dropped", "").Str("file", clean(file)).
		Int64("bytes", bytes).Send()
}

// EvidenceStays: evidence whose time has passed could not be dropped; it is tried
// again within an hour.
func (e *Events) EvidenceStays(file string, why error) {
	e.line(zerolog.WarnLevel, "evidence-stays", "").Str("file", clean(file)).
		Str("error", clean(why.Error())).Send()
}
