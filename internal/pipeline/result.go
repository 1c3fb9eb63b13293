package pipeline

import (
	"encoding/json"
	"fmt"
	"strconv"

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
	// Details are in the metadata where they are short, else in the ledger.
	Details       ledger.Details
	DetailsInBlob bool
}

// maxDetails is how long details may be in metadata, whose whole size Azure
// limits to 8 KiB.
const maxDetails = 4096

const detailsElsewhere = "ledger"

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
		"sha256":      r.SHA256,
	}
	if r.Failure != "" {
		m["failure"] = r.Failure
	}
	details, err := json.Marshal(r.Details)
	if err != nil || len(details) > maxDetails {
		m["details"] = detailsElsewhere
	} else {
		m["details"] = string(details)
	}
	return m
}

func parseResult(info storage.Info) (result, error) {
	r := result{
		ETag:       info.ETag,
		SourceETag: storage.ETag(info.Metadata["sourceetag"]),
		PolicyHash: info.Metadata["policyhash"],
		Failure:    info.Metadata["failure"],
		SHA256:     info.Metadata["sha256"],
	}
	for key, into := range map[string]*int64{
		"lines": &r.Counts.Lines, "written": &r.Counts.Written, "dropped": &r.Counts.Dropped,
		"quarantined": &r.Counts.Quarantined, "duplicates": &r.Counts.Duplicates,
		"bytesin": &r.Counts.BytesIn, "bytesout": &r.Counts.BytesOut, "hard": &r.Hard, "soft": &r.Soft,
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
	switch details := info.Metadata["details"]; details {
	case detailsElsewhere:
		r.DetailsInBlob = true
	default:
		if json.Unmarshal([]byte(details), &r.Details) != nil {
			return r, fmt.Errorf("the result %s has details that are not what this version writes", info.Name)
		}
	}
	return r, nil
}
