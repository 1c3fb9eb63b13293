package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/policy"
)

// How much of the input is looked at to tell its FHIR version. What is found may
// not depend on how fast the input comes, so these are amounts, not times.
const (
	sampleFiles = 16
	sampleLines = 50
	sampleBytes = 256 << 10
)

// settleVersion finds out the FHIR version: the policy's, the one asked for, or
// the one that the input tells.
func (w *work) settleVersion(ctx context.Context, p *policy.Policy, tasks []task) error {
	asked := w.o.version
	auto := strings.EqualFold(asked, "auto")
	if v, ok := fhirmodel.ParseVersion(asked); ok {
		w.o.version = string(v)
	} else if !auto {
		return usageError("--fhir-version is auto, stu3, r4, r4b or r5")
	}
	if p.FHIRVersion != "" {
		own, ok := fhirmodel.ParseVersion(p.FHIRVersion)
		if !ok {
			return nil // the engine says so
		}
		if !auto && string(own) != w.o.version {
			w.screen.say("notice: the policy's own FHIR version %s is used", own)
		}
		w.o.version = string(own)
		return nil
	}
	if !auto {
		return nil
	}
	found, err := w.detect(ctx, tasks)
	if err != nil {
		return err
	}
	v, notice, err := choose(found)
	if err != nil {
		return err
	}
	if notice != "" {
		w.screen.say("notice: %s", notice)
	}
	w.o.version = string(v)
	return nil
}

// choose takes the version that is certain, or R4 where it is possible. found is
// empty where the input had nothing to tell it from.
func choose(found []fhirmodel.Version) (v fhirmodel.Version, notice string, err error) {
	switch {
	case len(found) == 0:
		return fhirmodel.R4, "", nil
	case len(found) == 1:
		return found[0], "", nil
	case slices.Contains(found, fhirmodel.R4):
		return fhirmodel.R4, fmt.Sprintf("R4 is taken; what was looked at of the input could be %s too (--fhir-version says which)", list(found, fhirmodel.R4)), nil
	}
	return "", "", usageError(fmt.Sprintf("the input could be %s: say which with --fhir-version", list(found, "")))
}

func list(versions []fhirmodel.Version, without fhirmodel.Version) string {
	var names []string
	for _, v := range versions {
		if v != without {
			names = append(names, string(v))
		}
	}
	return strings.Join(names, " or ")
}

// errMixed says that no version fits.
var errMixed = usageError("the input has resources of different FHIR versions: --fhir-version says which to take; the others are left out")

// detect looks at the beginnings of the first files, those whose results are
// there included, so that going on finds what the run before has found.
func (w *work) detect(ctx context.Context, tasks []task) (found []fhirmodel.Version, err error) {
	detector := anonymize.NewDetector()
	for _, t := range tasks[:min(len(tasks), sampleFiles)] {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, line := range w.sample(t) {
			could := detector.Versions(line)
			if len(could) == 0 {
				continue // it will be left out
			}
			if found == nil {
				found = could
			} else {
				found = slices.DeleteFunc(found, func(v fhirmodel.Version) bool { return !slices.Contains(could, v) })
			}
			switch len(found) {
			case 0:
				return nil, errMixed
			case 1:
				return found, nil
			}
		}
	}
	return found, nil
}

// sample reads the first lines of an input. A fault shows when the work comes to
// it. Of standard input it is put back.
func (w *work) sample(t task) [][]byte {
	var head []byte
	if t.in == "" {
		in, err := w.openStdin()
		if err != nil {
			return nil
		}
		peeked := bufio.NewReaderSize(in, sampleBytes)
		head, _ = peeked.Peek(sampleBytes)
		w.unpacked = peeked
	} else {
		in, err := openInput(t.in)
		if err != nil {
			return nil
		}
		defer in.Close()
		if t.json {
			if head, err = io.ReadAll(io.LimitReader(in, 16<<20)); err != nil {
				return nil
			}
			return [][]byte{head}
		}
		head, _ = bufio.NewReaderSize(in, sampleBytes).Peek(sampleBytes)
	}
	whole := len(head) < sampleBytes
	lines := bytes.SplitN(bytes.TrimPrefix(head, []byte("\ufeff")), []byte{'\n'}, sampleLines+1)
	if len(lines) > sampleLines || !whole {
		lines = lines[:len(lines)-1] // the rest, or a line that is cut
	}
	return lines
}
