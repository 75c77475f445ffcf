// Package config reads trapline.toml.
//
// In comes the text of the file; out comes a Config in which every value has its type, every
// default is filled in and every rule about it holds, or all that is wrong with the file at once,
// each fault with its line and how to mend it.
//
// The file is read in three steps. go-toml decides whether the text is TOML, and its parser gives
// a tree of values with their lines (tree.go). A reader walks the tree through sections, asking
// for one key after the other (reader.go, and a file per part of the configuration). What
// concerns several keys is checked at the end (conflict.go). A key is declared by asking for it
// and nowhere else, so the keys that are known, reported as unknown and documented are one list:
// Keys.
//
// The package never opens a socket, resolves a name or expands a variable. Of the file system it
// reads the configuration itself and the certificates that it names, nothing else; of the path of a
// unix socket it looks at what lies there, and at the links that lead there. A fault never quotes the address of a trap or of a reporter, because the faults of a reload are logged.
package config
