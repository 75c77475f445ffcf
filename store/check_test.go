package store

import (
	"testing"

	"go.etcd.io/bbolt"
)

// checkPagesOf runs bbolt's own check over every file of a store.
func checkPagesOf(t testing.TB, s *Store) {
	t.Helper()
	files := map[string]*bbolt.DB{s.ledger.path: s.ledger.db}
	for _, d := range s.days {
		files[d.path] = d.db
	}
	for path, db := range files {
		err := db.View(func(tx *bbolt.Tx) error {
			for fault := range tx.Check() {
				t.Errorf("%s: %v", path, fault)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
