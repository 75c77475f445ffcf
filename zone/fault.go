package zone

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong: a listing that cannot be published, a line that is no line of
// our zones, a file that does not agree with the others.
type Fault struct {
	Where   string `json:"where"` // the network, the line or the file
	Problem string `json:"problem"`
}

// Error puts the fault in one line.
func (f Fault) Error() string { return f.Where + ": " + f.Problem }

// Faults is an error that names each of them.
type Faults []Fault

// Error puts all faults in one line.
func (f Faults) Error() string {
	texts := make([]string, len(f))
	for i := range f {
		texts[i] = f[i].Error()
	}
	return strings.Join(texts, "; ")
}

// want notes a fault unless all is well.
func (f *Faults) want(ok bool, where, problem string) {
	if !ok {
		*f = append(*f, Fault{where, problem})
	}
}

// brief is the first of many faults, for those who are told of them at every publication.
func (f Faults) brief() Faults {
	const most = 10
	if len(f) <= most {
		return f
	}
	rest := Fault{"more", fmt.Sprintf("%d faults that zone verify names", len(f)-most)}
	return append(slices.Clone(f[:most]), rest)
}

// orNil is the faults as an error, nil when there are none.
func (f Faults) orNil() error {
	if len(f) == 0 {
		return nil
	}
	return f
}
