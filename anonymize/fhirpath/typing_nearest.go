package fhirpath

import "strings"

// Nearest returns the name that was perhaps meant by one that does not exist: the
// one with the fewest letters changed, added, left out or swapped, "" where none
// is near.
func Nearest(name string, among []string) string {
	if len(name) > 64 {
		return ""
	}
	best, least := "", max(1, len(name)/4)+1
	for _, candidate := range among {
		if candidate == name {
			continue
		}
		d := distance(strings.ToLower(name), strings.ToLower(candidate))
		if d < least || d == least && d < max(1, len(name)/4)+1 && candidate < best {
			best, least = candidate, d
		}
	}
	return best
}

// distance counts the edits between two names, a swap of neighbours as one
// (optimal string alignment).
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
