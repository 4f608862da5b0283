package sqs

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/polymq/polymq/core"
)

// Values of the attributes of FIFO queues.
const (
	scopeQueue = "queue"
	scopeGroup = "messageGroup"
	perQueue   = "perQueue"
	perGroup   = "perMessageGroupId"
)

// setFIFO is of SetQueueAttributes on a FIFO queue: it is one and stays one. CreateQueue has looked
// at the attribute before.
func setFIFO(_ *attributeChange, value string) error {
	switch strings.ToLower(value) {
	case "true":
		return nil
	case "false":
		return invalidAttributeReason(fifoQueue, "Modifying queue type is not supported.")
	}
	return invalidAttributeValue(fifoQueue)
}

func showScope(q *core.Queue) string {
	if q.DeduplicationScope == core.DeduplicateInGroup {
		return scopeGroup
	}
	return scopeQueue
}

func setScope(c *attributeChange, value string) error {
	scope := core.DeduplicateInQueue
	switch value {
	case scopeQueue:
	case scopeGroup:
		scope = core.DeduplicateInGroup
	default:
		return invalidAttributeValue(deduplicationScope)
	}
	c.DeduplicationScope = &scope
	return nil
}

func setThroughputLimit(c *attributeChange, value string) error {
	if value != perQueue && value != perGroup {
		return invalidAttributeValue(throughputLimit)
	}
	keep(c, throughputLimitKey, value)
	return nil
}

// checkThroughput refuses a throughput limit for each group where ids are not of the group.
func checkThroughput(q core.Queue) error {
	if q.FIFO && q.Attributes[throughputLimitKey] == perGroup && showScope(&q) != scopeGroup {
		return invalidAttributeReason(throughputLimit, "perMessageGroupId needs the DeduplicationScope messageGroup.")
	}
	return nil
}

// isContentBased says that messages without a deduplication id get one made from their body.
func isContentBased(q *core.Queue) bool { return q.Attributes[contentBasedKey] == "true" }

// contentID is the deduplication id of a body.
func contentID(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Complaints about messages of FIFO queues.
const (
	notOfThisType     = "The request include parameter that is not valid for this queue type"
	noDeduplication   = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
	groupIDMissing    = "The request must contain the parameter MessageGroupId."
	idCharactersOfIDs = " can only include alphanumeric and punctuation characters. 1 to 128 in length."
)

// checkID checks an id that a request names, nil for one that it does not.
func checkID(name string, id *string) error {
	if id == nil || isGroupID(*id) {
		return nil
	}
	return invalid(*id, name, name+idCharactersOfIDs)
}

// setFIFOIDs checks the ids of a message to a FIFO queue, and gives them to it.
func (in *newMessage) setFIFOIDs(queue *core.Queue, message *core.NewMessage) error {
	switch id := in.MessageDeduplicationId; {
	case id != nil:
		if err := checkID("MessageDeduplicationId", id); err != nil {
			return err
		}
		message.DeduplicationID = *id
	case isContentBased(queue):
		message.DeduplicationID = contentID(in.MessageBody)
	default:
		return invalidParameter.errorf(noDeduplication)
	}
	if in.MessageGroupId == nil {
		return missing("MessageGroupId")
	}
	message.GroupID = *in.MessageGroupId
	return checkID("MessageGroupId", in.MessageGroupId)
}

// setGroup checks the ids of a message to a standard queue, and gives it its group.
func (in *newMessage) setGroup(message *core.NewMessage) error {
	if in.MessageGroupId != nil {
		message.GroupID = *in.MessageGroupId
		if err := checkID("MessageGroupId", in.MessageGroupId); err != nil {
			return err
		}
	}
	if id := in.MessageDeduplicationId; id != nil {
		if err := checkID("MessageDeduplicationId", id); err != nil {
			return err
		}
		return invalid(*id, "MessageDeduplicationId", notOfThisType)
	}
	return nil
}

// checkFIFOEntries checks what fails a batch to a FIFO queue as a whole, though it is of one entry.
func (req *sendMessageBatchRequest) checkFIFOEntries(queue *core.Queue) error {
	for i := range req.Entries {
		switch entry := &req.Entries[i]; {
		case entry.MessageDeduplicationId == nil && !isContentBased(queue):
			return invalidParameter.errorf(noDeduplication)
		case entry.MessageGroupId == nil:
			return invalidParameter.errorf(groupIDMissing)
		}
	}
	return nil
}
