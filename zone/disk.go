package zone

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// disk is what a publication does to the file system; tests break it one call at a time. A call
// that fails may have been carried out or not.
type disk interface {
	// Write makes a new file of mode 0644 with the data and the time, on disk when it returns.
	Write(name string, data []byte, modified time.Time) error
	// Link gives a file a second name, in the place of whatever has it.
	Link(file, name string) error
	// Rename moves a file or folder, over a file that has the name.
	Rename(from, to string) error
	// Sync puts a folder's names on disk.
	Sync(folder string) error
	// Folder makes a folder of the mode with all above it, unless it exists.
	Folder(name string, mode os.FileMode) error
	// Remove takes away a file or a folder with all in it, if it exists.
	Remove(name string) error
}

var _ disk = osDisk{}

type osDisk struct{}

// Write: see disk.
func (osDisk) Write(name string, data []byte, modified time.Time) error {
	const mode = 0o644 // every user of a mirror may read it, whatever our umask
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	err = fill(f, data, mode, modified)
	return cmp.Or(err, f.Close())
}

func fill(f *os.File, data []byte, mode os.FileMode, modified time.Time) error {
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := os.Chtimes(f.Name(), modified, modified); err != nil {
		return err
	}
	return f.Sync()
}

// Link: see disk.
func (osDisk) Link(file, name string) error {
	if err := os.RemoveAll(name); err != nil {
		return err
	}
	return os.Link(file, name)
}

// Rename: see disk.
func (osDisk) Rename(from, to string) error { return os.Rename(from, to) }

// Sync: see disk.
func (osDisk) Sync(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	err = f.Sync()
	return cmp.Or(err, f.Close())
}

// Folder: see disk.
func (osDisk) Folder(name string, mode os.FileMode) error {
	if info, err := os.Stat(name); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%s is no folder", name)
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return err
	}
	if err := os.Mkdir(name, mode); err != nil {
		return err
	}
	return os.Chmod(name, mode) // whatever our umask
}

// Remove: see disk.
func (osDisk) Remove(name string) error { return os.RemoveAll(name) }
