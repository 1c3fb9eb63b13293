package bulkdata

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// GroupSize is how many members a group has, as far as one may look.
type GroupSize struct {
	Known   bool
	Members int64
}

// maxGroup bounds what is read of a group.
const maxGroup = 64 << 20

// GroupSize looks at a group before its export is asked for. A group that is
// not there is an *Error with status 404.
func (c *Client) GroupSize(ctx context.Context, id string) (GroupSize, error) {
	const op = "looking at the group"
	if !isID(id) {
		return GroupSize{}, &Error{Op: op, Kind: Invalid, Err: errors.New("the group's id is none")}
	}
	u := c.base.JoinPath("Group", id)
	r, err := c.do(ctx, op, http.MethodGet, u, http.Header{"Accept": {"application/fhir+json"}})
	if err != nil {
		return GroupSize{}, err
	}
	if r.StatusCode != http.StatusOK {
		return GroupSize{}, c.failed(op, u, r)
	}
	defer drain(r)
	var group struct {
		Quantity *int64            `json:"quantity"`
		Member   []json.RawMessage `json:"member"`
	}
	if json.NewDecoder(io.LimitReader(r.Body, maxGroup)).Decode(&group) != nil {
		return GroupSize{}, nil // large, or odd: the export will tell
	}
	if group.Quantity != nil {
		return GroupSize{Known: true, Members: *group.Quantity}, nil
	}
	return GroupSize{Known: true, Members: int64(len(group.Member))}, nil
}
