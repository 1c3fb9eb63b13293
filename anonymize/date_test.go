package anonymize

import (
	"testing"
	"time"
)

// TestDays holds the arithmetic of dates against the standard library's.
func TestDays(t *testing.T) {
	at := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	first := date{1, 1, 1, precisionDay}.days()
	for n := 0; at.Year() < 2500; n++ {
		want := date{at.Year(), int(at.Month()), at.Day(), precisionDay}
		if got := civil(first + n); got != want {
			t.Fatalf("day %d is %v, want %v", n, got, want)
		}
		if got := want.days() - first; got != n {
			t.Fatalf("%v is day %d, want %d", want, got, n)
		}
		if text := string(want.append(nil)); text != at.Format(time.DateOnly) {
			t.Fatalf("%v is written %s", want, text)
		}
		if got, _, ok := parseDate(want.append(nil)); !ok || got != want {
			t.Fatalf("%v is read as %v", want, got)
		}
		at = at.AddDate(0, 0, 1)
	}
	if got := civil(date{9999, 12, 31, precisionDay}.days() + 1); got.year != 10000 {
		t.Errorf("the day behind the last is %v", got)
	}
	if got := civil(date{1, 1, 1, precisionDay}.days() - 1); got.year != 0 || got.month != 12 || got.day != 31 {
		t.Errorf("the day before the first is %v", got)
	}
}

func TestDatesRefused(t *testing.T) {
	for _, text := range []string{"", "1", "198", "0000", "19800", "1980-", "1980-1", "1980-00", "1980-13", "1980-01-", "1980-02-30", "1981-02-29", "1900-02-29",
		"1980-04-31", "1980-01-0", "1980/01/01", "19a0", "1980-0a", "1980-01-01T", "1980-01-01T1", "1980-01-01T24:00:00Z", "1980-01-01T10:60:00Z",
		"1980-01-01T10:00:00.Z", "1980-01-01T10:00:00z", "1980-01-01T10:00:00+1:00", "1980-01-01T10:00:00+14:01", "1980-01T10:00:00Z", "1980-01-01T10-00"} {
		if validDateTime([]byte(text)) {
			t.Errorf("%q is taken for a dateTime", text)
		}
	}
	for _, text := range []string{"1980", "1980-12", "1980-12-31", "2000-02-29", "1980-01-01T10:00", "1980-01-01T10:00:00", "1980-01-01T10:00:00.123456789Z", "1980-01-01T10:00:00-14:00"} {
		if !validDateTime([]byte(text)) {
			t.Errorf("%q is taken for no dateTime", text)
		}
	}
}

// TestShiftOf holds the hash against its definition.
func TestShiftOf(t *testing.T) {
	for n := range 40 {
		prefix, key := make([]byte, n), make([]byte, 40-n)
		for i := range prefix {
			prefix[i] = byte(i*77 + 250)
		}
		for i := range key {
			key[i] = byte(i*31 + 200)
		}
		h := 0
		for _, b := range append(prefix[:n:n], key...) {
			h = (h*131 + int(b)) % 101
		}
		if got := shiftOf(prefix, key); got != h-50 {
			t.Errorf("%d bytes: %d, want %d", n, got, h-50)
		}
	}
}
