package pipeline

import (
	"fmt"
	"strconv"
	"time"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// result is what de-identifying one file came to. It is written as metadata of
// the output blob, in the same commit as its bytes: the blob is the record.
type result struct {
	// ETag is that of the output blob, where it was read from a listing.
	ETag       storage.ETag
	SourceETag storage.ETag
	PolicyHash string
	// Failure is the code of a lasting fault of the whole file; the blob is
	// empty then.
	Failure string
	Counts  ledger.Counts
	// Hard and Soft count the verifier's findings. A line with a hard finding
	// is never in the blob.
	Hard, Soft int64
	SHA256     string
	// Cells are the rows of the file's patients, kept in the ledger; Patients is
	// how many.
	Cells    []byte
	Patients int64
	// Links is the record of the file's references, kept in the ledger; Linked is
	// how many resources with an id it has, -1 where there is no record.
	Links  []byte
	Linked int64
	// Work is how long the file was worked on, in milliseconds.
	Work int64
	// At is when the result was committed, where it was read from a listing.
	At time.Time
	// Details are in the metadata where they are short, else in the ledger.
	Details       ledger.Details
	DetailsInBlob bool
}

func (r *result) metadata() map[string]string {
	m := map[string]string{
		"sourceetag":  string(r.SourceETag),
		"policyhash":  r.PolicyHash,
		"lines":       strconv.FormatInt(r.Counts.Lines, 10),
		"written":     strconv.FormatInt(r.Counts.Written, 10),
		"dropped":     strconv.FormatInt(r.Counts.Dropped, 10),
		"quarantined": strconv.FormatInt(r.Counts.Quarantined, 10),
		"duplicates":  strconv.FormatInt(r.Counts.Duplicates, 10),
		"bytesin":     strconv.FormatInt(r.Counts.BytesIn, 10),
		"bytesout":    strconv.FormatInt(r.Counts.BytesOut, 10),
		"hard":        strconv.FormatInt(r.Hard, 10),
		"soft":        strconv.FormatInt(r.Soft, 10),
		"patients":    strconv.FormatInt(r.Patients, 10),
		"linked":      strconv.FormatInt(r.Linked, 10),
		"work":        strconv.FormatInt(r.Work, 10),
		"sha256":      r.SHA256,
	}
	if r.Failure != "" {
		m["failure"] = r.Failure
	}
	m["details"] = packDetails(r.Details)
	return m
}

func parseResult(info storage.Info) (result, error) {
	r := result{
		ETag:       info.ETag,
		SourceETag: storage.ETag(info.Metadata["sourceetag"]),
		PolicyHash: info.Metadata["policyhash"],
		Failure:    info.Metadata["failure"],
		SHA256:     info.Metadata["sha256"],
		At:         info.Modified,
	}
	for key, into := range map[string]*int64{
		"lines": &r.Counts.Lines, "written": &r.Counts.Written, "dropped": &r.Counts.Dropped,
		"quarantined": &r.Counts.Quarantined, "duplicates": &r.Counts.Duplicates,
		"bytesin": &r.Counts.BytesIn, "bytesout": &r.Counts.BytesOut, "hard": &r.Hard, "soft": &r.Soft,
		"patients": &r.Patients, "linked": &r.Linked, "work": &r.Work,
	} {
		n, err := strconv.ParseInt(info.Metadata[key], 10, 64)
		if err != nil {
			return r, fmt.Errorf("the result %s has no number %q in its metadata", info.Name, key)
		}
		*into = n
	}
	if r.SourceETag == "" || r.PolicyHash == "" {
		return r, fmt.Errorf("the result %s does not name its source and policy", info.Name)
	}
	details := info.Metadata["details"]
	if details == detailsElsewhere {
		r.DetailsInBlob = true
		return r, nil
	}
	if err := unpackDetails(details, &r.Details); err != nil {
		return r, fmt.Errorf("the result %s has details that are not what this version writes", info.Name)
	}
	return r, nil
}
