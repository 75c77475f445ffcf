package store

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// FreeBytes is how many bytes the file system of a folder has left for users
// without privileges.
func FreeBytes(dir string) (uint64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, fmt.Errorf("measure the disk of %s: %w", dir, err)
	}
	return fs.Bavail * uint64(fs.Bsize), nil
}

// SavedAt is when the state on disk was written; the zero time where there is
// none.
func (s *Store) SavedAt() time.Time {
	info, err := os.Stat(s.snapshotPath())
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
