// Package storagetest is the conformance suite of package storage: what the
// pipeline counts on, run against every implementation.
package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"fhirdeid/internal/storage"
)

// Test runs the suite. make returns a new, empty container; both containers of
// one test are in the same account.
func Test(t *testing.T, make func(t *testing.T) storage.Container) {
	for name, test := range map[string]func(*testing.T, func(*testing.T) storage.Container){
		"reads what was put":                   putAndGet,
		"a missing blob is not found":          missing,
		"conditions hold or not":               conditions,
		"one winner among many who create":     createRace,
		"one winner among many who swap":       swapRace,
		"a writer shows nothing before commit": writer,
		"a writer of many blocks":              largeWriter,
		"a writer of nothing":                  emptyWriter,
		"a writer loses against another":       writerRace,
		"two writers of one name do not mix":   writersMix,
		"open is tied to an ETag":              openMatch,
		"copy":                                 copyBlob,
		"copy conditions":                      copyConditions,
		"list is in order and has metadata":    list,
		"delete":                               deleteBlob,
		"metadata that is no header":           badMetadata,
	} {
		t.Run(name, func(t *testing.T) { test(t, make) })
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func wantContent(t *testing.T, c storage.Container, name, want string) {
	t.Helper()
	data, info, err := c.Get(t.Context(), name)
	if err != nil || string(data) != want || info.Size != int64(len(want)) {
		t.Errorf("%s has %d bytes %.40q (size %d), %v; want %d bytes %.40q", name, len(data), data, info.Size, err, len(want), want)
	}
}

func put(t *testing.T, c storage.Container, name, data string, o storage.PutOptions) storage.ETag {
	t.Helper()
	return must[storage.ETag](t)(c.Put(t.Context(), name, []byte(data), o))
}

func putAndGet(t *testing.T, make func(*testing.T) storage.Container) {
	c := make(t)
	meta := map[string]string{"sourceEtag": `"0x8D"`, "details": `{"a":[1,2]}`}
	etag := put(t, c, "a/b c+ü.json", "hello", storage.PutOptions{Metadata: meta, ContentType: "application/json"})
	data, info, err := c.Get(t.Context(), "a/b c+ü.json")
	if err != nil || string(data) != "hello" {
		t.Fatalf("got %q, %v", data, err)
	}
	if info.ETag != etag || info.Name != "a/b c+ü.json" || info.Modified.IsZero() {
		t.Errorf("info is %+v, the write's ETag %s", info, etag)
	}
	if info.Metadata["sourceetag"] != `"0x8D"` || info.Metadata["details"] != `{"a":[1,2]}` {
		t.Errorf("metadata is %v", info.Metadata)
	}
	head := must[storage.Info](t)(c.Head(t.Context(), "a/b c+ü.json"))
	if head.ETag != etag || head.Size != 5 || head.Metadata["sourceetag"] != `"0x8D"` {
		t.Errorf("head is %+v", head)
	}
	if again := put(t, c, "a/b c+ü.json", "hello", storage.PutOptions{}); again == etag {
		t.Error("a second write of the same bytes has the same ETag")
	}
}

func missing(t *testing.T, make func(*testing.T) storage.Container) {
	c := make(t)
	_, _, err := c.Get(t.Context(), "no")
	wantError(t, "Get", err, storage.ErrNotFound)
	_, err = c.Head(t.Context(), "no")
	wantError(t, "Head", err, storage.ErrNotFound)
	_, _, err = c.Open(t.Context(), "no", "")
	wantError(t, "Open", err, storage.ErrNotFound)
}

func conditions(t *testing.T, make func(*testing.T) storage.Container) {
	c := make(t)
	ctx := t.Context()
	_, err := c.Put(ctx, "x", []byte("0"), storage.PutOptions{If: storage.IfMatch(`"0x1"`)})
	wantError(t, "swapping what is not there", err, storage.ErrCondition)
	first := put(t, c, "x", "1", storage.PutOptions{If: storage.IfAbsent()})
	_, err = c.Put(ctx, "x", []byte("2"), storage.PutOptions{If: storage.IfAbsent()})
	wantError(t, "creating again", err, storage.ErrCondition)
	second := put(t, c, "x", "2", storage.PutOptions{If: storage.IfMatch(first)})
	_, err = c.Put(ctx, "x", []byte("3"), storage.PutOptions{If: storage.IfMatch(first)})
	wantError(t, "swapping an old state", err, storage.ErrCondition)
	_, err = c.Put(ctx, "x", []byte("3"), storage.PutOptions{If: storage.IfMatch("")})
	wantError(t, "swapping a state that was not read", err, storage.ErrCondition)
	if first == second {
		t.Error("two writes have one ETag")
	}
	wantContent(t, c, "x", "2")
}

const racers = 20

func race(t *testing.T, attempt func(i int) error) {
	t.Helper()
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range racers {
		wg.Go(func() {
			err := attempt(i)
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, storage.ErrCondition) {
				t.Errorf("a loser's error is %v", err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of %d won", won.Load(), racers)
	}
}

func createRace(t *testing.T, make func(*testing.T) storage.Container) {
	c := make(t)
	race(t, func(i int) error {
		_, err := c.Put(t.Context(), "x", []byte(fmt.Sprint(i)), storage.PutOptions{If: storage.IfAbsent()})
		return err
	})
}

func swapRace(t *testing.T, make func(*testing.T) storage.Container) {
	c := make(t)
	etag := put(t, c, "x", "", storage.PutOptions{})
	race(t, func(i int) error {
		_, err := c.Put(t.Context(), "x", []byte(fmt.Sprint(i)), storage.PutOptions{If: storage.IfMatch(etag)})
		return err
	})
}

func writer(t *testing.T, make func(*testing.T) storage.Container) {
	c := make(t)
	w := must[storage.Writer](t)(c.Create(t.Context(), "x"))
	fmt.Fprint(w, "one ")
	fmt.Fprint(w, "two")
	_, err := c.Head(t.Context(), "x")
	wantError(t, "Head before Commit", err, storage.ErrNotFound)
	etag := must[storage.ETag](t)(w.Commit(t.Context(), storage.PutOptions{If: storage.IfAbsent(), Metadata: map[string]string{"k": "v"}}))
	w.Abort()
	wantContent(t, c, "x", "one two")
	if info := must[storage.Info](t)(c.Head(t.Context(), "x")); info.ETag != etag || info.Metadata["k"] != "v" {
		t.Errorf("info is %+v, want ETag %s", info, etag)
	}
	gone := must[storage.Writer](t)(c.Create(t.Context(), "y"))
	fmt.Fprint(gone, "never")
	gone.Abort()
	_, err = c.Head(t.Context(), "y")
	wantError(t, "Head after Abort", err, storage.ErrNotFound)
}

func largeWriter(t *testing.T, make func(*testing.T) storage.Container) {
	c := make(t)
	want := strings.Repeat("0123456789abcde\n", 900_000) // 14.4 MB
	w := must[storage.Writer](t)(c.Create(t.Context(), "x"))
	for rest := want; rest != ""; {
		n := min(len(rest), 777_777)
		must[int](t)(io.WriteString(w, rest[:n]))
		rest = rest[n:]
	}
	must[storage.ETag](t)(w.Commit(t.Context(), storage.PutOptions{}))
	wantContent(t, c, "x", want)
}

func emptyWriter(t *testing.T, make func(*testing.T) storage.Container) {
	c := make(t)
	w := must[storage.Writer](t)(c.Create(t.Context(), "x"))
	must[storage.ETag](t)(w.Commit(t.Context(), storage.PutOptions{Metadata: map[string]string{"k": "v"}}))
	wantContent(t, c, "x", "")
}

func writerRace(t *testing.T, make func(*testing.T) storage.Container) {
	c := make(t)
	large := bytes.Repeat([]byte("x"), 5<<20)
	race(t, func(i int) error {
		w, err := c.Create(t.Context(), "x")
		if err != nil {
			return err
		}
		data := []byte(fmt.Sprint(i))
		if i%4 == 0 {
			data = large
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
		_, err = w.Commit(t.Context(), storage.PutOptions{If: storage.IfAbsent()})
		return err
	})
}

func writersMix(t *testing.T, make func(*testing.T) storage.Container) {
	c := make(t)
	a := must[storage.Writer](t)(c.Create(t.Context(), "x"))
	b := must[storage.Writer](t)(c.Create(t.Context(), "x"))
	as, bs := strings.Repeat("a", 9<<20), strings.Repeat("b", 9<<20)
	must[int](t)(io.WriteString(a, as))
	must[int](t)(io.WriteString(b, bs))
	must[storage.ETag](t)(a.Commit(t.Context(), storage.PutOptions{If: storage.IfAbsent()}))
	_, err := b.Commit(t.Context(), storage.PutOptions{If: storage.IfAbsent()})
	wantError(t, "the second commit", err, storage.ErrCondition)
	wantContent(t, c, "x", as)
}

func openMatch(t *testing.T, make func(*testing.T) storage.Container) {
	c := make(t)
	old := put(t, c, "x", "old", storage.PutOptions{})
	r, info, err := c.Open(t.Context(), "x", old)
	if err != nil {
		t.Fatal(err)
	}
	data := must[[]byte](t)(io.ReadAll(r))
	r.Close()
	if string(data) != "old" || info.ETag != old {
		t.Errorf("read %q with ETag %s, want %q and %s", data, info.ETag, "old", old)
	}
	put(t, c, "x", "new", storage.PutOptions{})
	_, _, err = c.Open(t.Context(), "x", old)
	wantError(t, "opening an old state", err, storage.ErrCondition)
}

func copyBlob(t *testing.T, make func(*testing.T) storage.Container) {
	src, dst := make(t), make(t)
	etag := put(t, src, "a/x", "data", storage.PutOptions{Metadata: map[string]string{"of": "source"}})
	copied := must[storage.ETag](t)(dst.Copy(t.Context(), src, "a/x", etag, "b/y", storage.PutOptions{If: storage.IfAbsent(), Metadata: map[string]string{"sha256": "00"}}))
	wantContent(t, dst, "b/y", "data")
	info := must[storage.Info](t)(dst.Head(t.Context(), "b/y"))
	if info.ETag != copied || info.Metadata["sha256"] != "00" || info.Metadata["of"] != "" {
		t.Errorf("info is %+v, want ETag %s and the copy's own metadata", info, copied)
	}
}

func copyConditions(t *testing.T, make func(*testing.T) storage.Container) {
	src, dst := make(t), make(t)
	old := put(t, src, "x", "old", storage.PutOptions{})
	put(t, src, "x", "new", storage.PutOptions{})
	own := map[string]string{"k": "v"}
	_, err := dst.Copy(t.Context(), src, "x", old, "y", storage.PutOptions{Metadata: own})
	wantError(t, "copying an old state", err, storage.ErrCondition)
	put(t, dst, "z", "mine", storage.PutOptions{})
	_, err = dst.Copy(t.Context(), src, "x", "", "z", storage.PutOptions{If: storage.IfAbsent(), Metadata: own})
	wantError(t, "copying over another", err, storage.ErrCondition)
	wantContent(t, dst, "z", "mine")
	_, err = dst.Copy(t.Context(), src, "no", "", "q", storage.PutOptions{Metadata: own})
	wantError(t, "copying nothing", err, storage.ErrNotFound)
	if _, err = dst.Copy(t.Context(), src, "x", "", "w", storage.PutOptions{}); err == nil {
		t.Error("a copy without metadata of its own was made")
	}
}

func list(t *testing.T, make func(*testing.T) storage.Container) {
	c := make(t)
	for _, name := range []string{"run/b", "run/a", "run/c/d", "other", "run"} {
		put(t, c, name, name, storage.PutOptions{Metadata: map[string]string{"Name": "m"}})
	}
	var got []string
	for info, err := range c.List(t.Context(), "run/") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, info.Name)
		head := must[storage.Info](t)(c.Head(t.Context(), info.Name))
		if info.ETag != head.ETag || info.Size != head.Size || info.Metadata["name"] != "m" || info.Modified.IsZero() {
			t.Errorf("listed %+v, head %+v", info, head)
		}
	}
	if want := "run/a run/b run/c/d"; strings.Join(got, " ") != want {
		t.Errorf("listed %v, want %s", got, want)
	}
	for range c.List(t.Context(), "") {
		break // leaving early is fine
	}
}

func deleteBlob(t *testing.T, make func(*testing.T) storage.Container) {
	c := make(t)
	put(t, c, "x", "", storage.PutOptions{})
	for range 2 {
		if err := c.Delete(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.Head(t.Context(), "x")
	wantError(t, "Head after Delete", err, storage.ErrNotFound)
}

func badMetadata(t *testing.T, make func(*testing.T) storage.Container) {
	c := make(t)
	for _, meta := range []map[string]string{{"k": "ü"}, {"k": "a\nb"}, {"k": " x"}, {"k": "x "}, {"a-b": "x"}, {"k": strings.Repeat("x", 9000)}} {
		_, err := c.Put(context.WithoutCancel(t.Context()), "x", nil, storage.PutOptions{Metadata: meta})
		if err == nil {
			t.Errorf("metadata of %d keys that cannot be kept was taken", len(meta))
		}
	}
}
