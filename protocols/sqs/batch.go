package sqs

// failedEntry is an entry of a batch that failed on its own.
type failedEntry struct {
	Id          string
	SenderFault bool
	Code        string
	Message     string
}

// doneEntry is an entry of which there is nothing more to say.
type doneEntry struct {
	Id string
}

func failed(id string, err error) failedEntry {
	f := faultOf(err)
	return failedEntry{Id: id, SenderFault: !f.receiver(), Code: f.code, Message: f.message}
}

// Bounds of batches.
const (
	maxEntries       = 10
	maxEntryIDLength = 80
)

// checkBatch checks what makes a batch fail as a whole (specs/sqs.md 5.5).
func checkBatch[Entry any](entries []Entry, kind string, id func(*Entry) string) error {
	switch n := len(entries); {
	case n == 0:
		return emptyBatch.errorf("There should be at least one %s in the request.", kind)
	case n > maxEntries:
		return tooManyEntries.errorf("Maximum number of entries per request are %d. You have sent %d.", maxEntries, n)
	}
	for i := range entries {
		if id := id(&entries[i]); len(id) > maxEntryIDLength || !isQueueName(id) {
			return invalidEntryID.errorf("A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
	}
	for i := range entries {
		for j := range i {
			if repeated := id(&entries[i]); repeated == id(&entries[j]) {
				return idsNotDistinct.errorf("Id %s repeated.", repeated)
			}
		}
	}
	return nil
}
