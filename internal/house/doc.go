// Package house holds the rules that the code of this module keeps, as tests: who may import whom,
// what pure packages stay away from, and how long things may get. In comes the source of the whole
// module, out come failures that say what to do about them. It has no code of its own.
package house
