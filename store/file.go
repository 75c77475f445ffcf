package store

import (
	"sync"

	"go.etcd.io/bbolt"
)

// file is one of the store's bbolt files. The same one written anew may take its
// place while it is open.
type file struct {
	path string

	use  sync.RWMutex // held while reading; closing and replacing take it whole
	db   *bbolt.DB    // replaced by the writer alone; nil where the file did not open
	gone bool
}

// view runs a read transaction, safe against damage and against the file being
// dropped meanwhile: of one that is gone there is nothing to read.
func (f *file) view(see func(*bbolt.Tx) error) error {
	f.use.RLock()
	defer f.use.RUnlock()
	if f.gone {
		return nil
	}
	return guarded(f.path, func() error { return f.db.View(see) })
}

// close waits for readers.
func (f *file) close() error {
	f.use.Lock()
	defer f.use.Unlock()
	f.gone = true
	return f.db.Close()
}

// freePages are free for the next commit, or once the readers of today are done.
func (f *file) freePages() int {
	f.use.RLock()
	defer f.use.RUnlock()
	if f.gone {
		return 0
	}
	stats := f.db.Stats()
	return stats.FreePageN + stats.PendingPageN
}
