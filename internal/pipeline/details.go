package pipeline

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"fhirdeid/internal/ledger"
)

// maxDetails is how long details may be in metadata, whose whole size Azure
// limits to 8 KiB.
const maxDetails = 4096

// Forms of details in metadata: JSON as it is; deflated, in base64, since paths
// are long and alike; or a word that says they are in the ledger.
const (
	plainDetails     = 1024 // bytes up to which they stay readable
	deflatedDetails  = "deflate:"
	detailsElsewhere = "ledger"
	maxUnpacked      = 1 << 20
)

// packDetails writes details as metadata.
func packDetails(d ledger.Details) string {
	text, err := json.Marshal(d)
	if err != nil {
		return detailsElsewhere
	}
	if len(text) <= plainDetails {
		return string(text)
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return detailsElsewhere // only for a level that there is not
	}
	_, writeErr := w.Write(text)
	if err := errors.Join(writeErr, w.Close()); err != nil {
		return detailsElsewhere
	}
	packed := deflatedDetails + base64.RawStdEncoding.EncodeToString(b.Bytes())
	if len(packed) > maxDetails || len(text) > maxUnpacked {
		return detailsElsewhere
	}
	return packed
}

// unpackDetails reads them again.
func unpackDetails(text string, into *ledger.Details) error {
	packed, deflated := strings.CutPrefix(text, deflatedDetails)
	if !deflated {
		return json.Unmarshal([]byte(text), into)
	}
	data, err := base64.RawStdEncoding.DecodeString(packed)
	if err != nil {
		return err
	}
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), maxUnpacked))
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, into)
}
