package admin

import "testing"

func TestWithoutAddress(t *testing.T) {
	for _, c := range []struct{ name, words, want string }{
		{"nothing of it", "bounce@sender.example", "bounce@sender.example"},
		{"as it is", "old.sales@corp.example", "ID"},
		{"another case", "Old.Sales@CORP.example", "ID"},
		{"return path with =", "b+old.sales=corp.example@sender.example", "b+ID@sender.example"},
		{"twice", "old.sales=corp.example-old.sales=corp.example@x", "ID-ID@x"},
		{"null", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := withoutAddress(c.words, "old.sales@corp.example", "ID"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
