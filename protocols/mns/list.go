package mns

import (
	"encoding/base64"

	"github.com/polymq/polymq/core"
)

// maxListed is how many rows a page has at most, and unless told otherwise.
const maxListed = 1000

// listRequest is what every list is asked with.
type listRequest struct {
	Prefix    string `header:"x-mns-prefix"`
	Marker    string `header:"x-mns-marker"`
	RetNumber *int   `header:"x-mns-ret-number"`
	WithMeta  *bool  `header:"x-mns-with-meta"`
}

// page gives how many rows are asked for, and behind which one they begin.
func (r *listRequest) page() (limit int, after string, err error) {
	limit = maxListed
	if r.RetNumber != nil {
		limit = *r.RetNumber
	}
	name, err := base64.RawURLEncoding.DecodeString(r.Marker)
	if err != nil {
		return 0, "", core.Errorf(core.InvalidArgument, "x-mns-marker is none that this list gave out")
	}
	return limit, string(name), checkRange("x-mns-ret-number", &limit, 1, maxListed, "rows")
}

func (r *listRequest) withMeta() bool { return r.WithMeta != nil && *r.WithMeta }

// marker writes where the next page begins, unless this is the last.
func (a *answer) marker(next string) {
	if next != "" {
		a.text("NextMarker", base64.RawURLEncoding.EncodeToString([]byte(next)))
	}
}
