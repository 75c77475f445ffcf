package mailbox

import (
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
)

// Open gives the messages below a path, in the order of the names: of a file, of a Maildir with the
// folders in it, or of a folder of such. Errors are those of [Read], and those of files and folders
// that cannot be read: then the next one follows. Names that begin with a dot are passed over,
// except a Maildir's folders; so are a Maildir's tmp, and in folders whatever is no regular file,
// as a pipe could be waited on for ever, and links to folders, as they may lead back.
func Open(path string) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		w := walk{yield}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			w.fault(path, err)
		case info.IsDir():
			w.folder(path)
		default: // a named pipe, too: who names it means it
			w.file(path)
		}
	}
}

// walk goes through files. Its methods tell whether the reader wants more.
type walk struct {
	yield func(Message, error) bool
}

func (w walk) fault(path string, err error) bool {
	return w.yield(Message{Path: path}, fmt.Errorf("read mail: %w", err)) // err names the path
}

// folder reads a folder of any kind.
func (w walk) folder(path string) bool {
	entries, err := os.ReadDir(path)
	if err != nil && !w.fault(path, err) {
		return false
	}
	if isMaildir(path) {
		return w.maildir(path, entries)
	}
	for _, entry := range entries {
		inner := filepath.Join(path, entry.Name())
		switch {
		case strings.HasPrefix(entry.Name(), "."):
		case entry.IsDir():
			if !w.folder(inner) {
				return false
			}
		case isRegular(inner, entry) && !w.file(inner):
			return false
		}
	}
	return true
}

// maildir reads the messages, new ones first as they may move to cur meanwhile, and then the
// folders inside: `.Name` (Maildir++), or plain ones that are Maildirs themselves.
func (w walk) maildir(path string, entries []fs.DirEntry) bool {
	for _, name := range [...]string{"new", "cur"} {
		if !w.messages(filepath.Join(path, name)) {
			return false
		}
	}
	for _, entry := range entries {
		inner := filepath.Join(path, entry.Name())
		if entry.IsDir() && isMaildir(inner) && !w.folder(inner) {
			return false
		}
	}
	return true
}

// messages reads a folder with a message in each file. A Maildir may lack one of its folders.
func (w walk) messages(path string) bool {
	entries, err := os.ReadDir(path)
	if err != nil && !os.IsNotExist(err) && !w.fault(path, err) {
		return false
	}
	for _, entry := range entries {
		inner := filepath.Join(path, entry.Name())
		hidden := strings.HasPrefix(entry.Name(), ".")
		if !hidden && isRegular(inner, entry) && !w.one(inner) {
			return false
		}
	}
	return true
}

// file reads a file, as one message if its name says so.
func (w walk) file(path string) bool {
	if strings.EqualFold(filepath.Ext(path), ".eml") {
		return w.one(path)
	}
	f, err := os.Open(path)
	if err != nil {
		return w.fault(path, err)
	}
	defer closeRead(f)
	for m, err := range Read(path, f) {
		if !w.yield(m, err) {
			return false
		}
	}
	return true
}

// one reads a file that holds one message.
func (w walk) one(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return w.fault(path, err)
	}
	defer closeRead(f)
	return w.yield(ReadOne(path, f))
}

// closeRead closes a file that was only read: nothing can be lost by it.
func closeRead(f *os.File) { _ = f.Close() }

func isMaildir(path string) bool {
	return isFolder(filepath.Join(path, "cur")) || isFolder(filepath.Join(path, "new"))
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// isRegular tells a file, or a link to one.
func isRegular(path string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return entry.Type().IsRegular()
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
