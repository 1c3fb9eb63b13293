package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"fhirdeid/anonymize"
)

// task is one file of work.
type task struct {
	in, out string // paths; "" is standard input (or the pipe named) or output
	name    string // below the input folder, as people are told it
	size    int64  // bytes in the file, 0 where it is not known
	json    bool   // the file is one resource, not lines
	done    bool   // the result is there, and --skip says to leave it
	place   anonymize.Place
}

// plan lists the work before any is done, in the order of the names. What it
// refuses is refused before anything is written.
func (o *anonymizeOptions) plan() ([]task, error) {
	if o.in == "" {
		if o.out != "" && isFolder(o.out) {
			return nil, usageError("the result of standard input needs a file: --output is a folder")
		}
		return []task{{out: o.out, name: "standard input", done: o.skip && isRegular(o.out)}}, nil
	}
	info, err := os.Stat(o.in)
	if err != nil {
		return nil, fmt.Errorf("looking at the input: %w", err)
	}
	var tasks []task
	if info.IsDir() {
		tasks, err = o.folder()
	} else {
		tasks = []task{o.file(info)}
	}
	if err != nil {
		return nil, err
	}
	return tasks, o.checkPlaces(tasks)
}

// file is the work of an input that is no folder.
func (o *anonymizeOptions) file(info os.FileInfo) task {
	t := task{in: o.in, out: o.out, name: filepath.Base(o.in), json: isJSON(o.in) && !o.bulk}
	if info.Mode().IsRegular() {
		t.size = info.Size()
	} else {
		t.in, t.json = "", false // a pipe or device is read as standard input is: once
	}
	t.place = anonymize.Place{File: plainName(o.in), Folder: lastSegment(filepath.Dir(o.in))}
	if o.out != "" && isFolder(o.out) {
		t.out = filepath.Join(o.out, t.name)
	}
	t.done = o.skip && t.out != "" && isRegular(t.out)
	return t
}

// folder lists the files of a folder.
func (o *anonymizeOptions) folder() (tasks []task, err error) {
	if o.out == "" {
		return nil, usageError("the results of a folder need a folder: give --output")
	}
	if info, err := os.Stat(o.out); err == nil && !info.IsDir() {
		return nil, usageError("the results of a folder need a folder: --output is a file")
	}
	root, err := filepath.EvalSymlinks(o.in)
	if err != nil {
		return nil, fmt.Errorf("looking at the input: %w", err)
	}
	place := lastSegment(o.in)
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != root && !o.recursive {
				return fs.SkipDir
			}
			return nil
		}
		json := isJSON(path) && !o.bulk
		if !json && !isNDJSON(path) || samePath(path, o.policy) {
			return nil
		}
		info, err := os.Stat(path) // of what a link points at
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		t := task{in: path, out: filepath.Join(o.out, rel), name: rel, size: info.Size(), json: json}
		t.place = anonymize.Place{File: plainName(path), Folder: place}
		t.done = o.skip && isRegular(t.out)
		tasks = append(tasks, t)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking through the input: %w", err)
	}
	if len(tasks) == 0 {
		return nil, o.nothing()
	}
	return tasks, nil
}

// nothing says what was looked for in vain.
func (o *anonymizeOptions) nothing() error {
	kinds := "*.ndjson or *.json"
	if o.bulk {
		kinds = "*.ndjson"
	}
	text := fmt.Sprintf("there are no files %s (or with .gz, .zst) in %s", kinds, o.in)
	if !o.recursive {
		text += "; --recursive looks in sub-folders too"
	}
	return errors.New(text)
}

// checkPlaces refuses results that would be inputs: of this call, or of the next.
func (o *anonymizeOptions) checkPlaces(tasks []task) error {
	if o.out != "" && samePath(o.in, o.out) {
		return usageError("input and output are the same folder or file")
	}
	if o.out != "" && o.recursive && isInside(o.out, o.in) {
		return usageError("the output folder is inside the input folder, where --recursive would find the results as input: put it elsewhere")
	}
	inputs := make(map[string]bool)
	for i := range tasks {
		inputs[canonical(tasks[i].in)] = true
	}
	for i := range tasks {
		if tasks[i].out != "" && inputs[canonical(tasks[i].out)] {
			return usageError(fmt.Sprintf("the result of %s would overwrite an input file", tasks[i].name))
		}
	}
	return o.checkOwnFiles(tasks, inputs)
}

// checkOwnFiles refuses to write quarantine and summary where they would destroy
// a file, be an input of the next call, or be passed on with the results.
func (o *anonymizeOptions) checkOwnFiles(tasks []task, inputs map[string]bool) error {
	var own []string
	if o.quarantine != "" {
		own = append(own, o.quarantine, errorsPath(o.quarantine))
		if info, err := os.Stat(o.out); err == nil && info.IsDir() && isInside(o.quarantine, o.out) {
			return usageError("--quarantine holds data as it came: put it outside of the output folder")
		}
	}
	if o.summary != "" {
		own = append(own, o.summary)
	}
	for _, path := range own {
		at := canonical(path)
		found := o.in != "" && isInside(path, o.in) && (isNDJSON(path) || isJSON(path)) && (o.recursive || filepath.Dir(at) == canonical(o.in))
		for i := range tasks {
			found = found || inputs[at] || tasks[i].out != "" && at == canonical(tasks[i].out)
		}
		if found {
			return usageError(path + " would be an input or a result: put --quarantine and --summary-json elsewhere")
		}
	}
	return nil
}

// canonical is the absolute path without links, as far as the file is there.
func canonical(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real
	}
	if parent := filepath.Dir(abs); parent != abs {
		return filepath.Join(canonical(parent), filepath.Base(abs))
	}
	return abs
}

func samePath(a, b string) bool { return canonical(a) == canonical(b) }

func isInside(inner, outer string) bool {
	rel, err := filepath.Rel(canonical(outer), canonical(inner))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// isFolder reports whether a path is a folder, or says by its end that it is to
// become one.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir() || err != nil && os.IsPathSeparator(path[len(path)-1])
}

func isRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// lastSegment is the end of a folder's path as it was given: the prefix of date
// shifts with scope folder. Microsoft's tool takes it this way, so "." is ".".
func lastSegment(path string) string {
	for len(path) > 0 && os.IsPathSeparator(path[len(path)-1]) {
		path = path[:len(path)-1]
	}
	for i := len(path) - 1; i >= 0; i-- {
		if os.IsPathSeparator(path[i]) {
			return path[i+1:]
		}
	}
	return path
}

func usageError(text string) error { return &codeError{exitUsage, errors.New(text)} }
