package pg

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/singleflight"

	"github.com/polymq/polymq/core"
)

const keySize = 32

// keys make ids and handles that nobody can guess, without a column or an index for them.
type keys struct {
	messageIDs [keySize]byte
	handles    [keySize]byte
}

// idMask leaves out the two bits that a UUID spends on its variant.
const idMask = 1<<62 - 1

// messageID makes the public id of a row id: 60 bits of a keyed hash, which also vouch for it, and
// the row id hidden under a second one. The result is a version 4 UUID. polymq.send does the same
// in SQL (migrations/00004_send.sql).
func (k *keys) messageID(id int64) core.MessageID {
	var public core.MessageID
	tag := k.hash('t', uint64(id))&^0xF000 | 0x4000 // the version's place
	binary.BigEndian.PutUint64(public[0:8], tag)
	binary.BigEndian.PutUint64(public[8:16], 1<<63|(uint64(id)^k.hash('c', tag))&idMask)
	return public
}

// rowID is the inverse of messageID; ok is false for an id that messageID did not make.
func (k *keys) rowID(public core.MessageID) (id int64, ok bool) {
	tag := binary.BigEndian.Uint64(public[0:8])
	id = int64((binary.BigEndian.Uint64(public[8:16]) ^ k.hash('c', tag)) & idMask)
	return id, k.messageID(id) == public
}

func (k *keys) hash(purpose byte, value uint64) uint64 {
	var input [keySize + 9]byte
	copy(input[:], k.messageIDs[:])
	input[keySize] = purpose
	binary.BigEndian.PutUint64(input[keySize+1:], value)
	sum := sha256.Sum256(input[:])
	return binary.BigEndian.Uint64(sum[:8])
}

// handle names a message in the state that a receive or a change of visibility left it in.
type handle struct {
	storage int64
	id      int64 // of a FIFO queue's message its sequence number
	version int32
	group   int64 // of a FIFO queue's message
	fifo    bool
	message int64 // of a FIFO queue's message its id, where the queue's messages are logged; else 0
}

// The forms of handles. MNS wants a digit and a dash (specs/mns.md 4.4).
const (
	handlePrefix  = "1-" // of standard queues
	fifoPrefix    = "2-" // of FIFO queues
	handleData    = 20
	handleMAC     = 10
	fifoData      = handleData + 8
	fifoMAC       = 11
	loggedData    = fifoData + 8 // of FIFO queues whose messages are logged
	loggedMAC     = 12
	maxHandleData = loggedData + loggedMAC
)

// format writes a handle that only this queue accepts, in [A-Za-z0-9_-] (specs/mns.md 4.4). The
// MAC is a hash over key and data: all inputs have one of three lengths, and none extends another to them.
func (k *keys) format(queue int64, h handle) string {
	var raw [maxHandleData]byte
	prefix, data, all := handlePrefix, handleData, handleData+handleMAC
	binary.BigEndian.PutUint64(raw[0:], uint64(h.storage))
	binary.BigEndian.PutUint64(raw[8:], uint64(h.id))
	binary.BigEndian.PutUint32(raw[16:], uint32(h.version))
	if h.fifo {
		prefix, data, all = fifoPrefix, fifoData, fifoData+fifoMAC
		binary.BigEndian.PutUint64(raw[20:], uint64(h.group))
	}
	if h.fifo && h.message != 0 {
		data, all = loggedData, loggedData+loggedMAC
		binary.BigEndian.PutUint64(raw[28:], uint64(h.message))
	}
	k.mac(raw[data:all], queue, raw[:data])
	var text [len(handlePrefix) + maxHandleData/3*4]byte
	copy(text[:], prefix)
	base64.RawURLEncoding.Encode(text[len(prefix):], raw[:all])
	return string(text[:len(prefix)+all/3*4])
}

// parse reads a handle of the queue. ReceiptHandleInvalid.
func (k *keys) parse(queue int64, text string) (handle, error) {
	data, all := handleData, handleData+handleMAC
	isFIFO := strings.HasPrefix(text, fifoPrefix)
	if isFIFO && len(text) == len(fifoPrefix)+(loggedData+loggedMAC)/3*4 {
		data, all = loggedData, loggedData+loggedMAC
	} else if isFIFO {
		data, all = fifoData, fifoData+fifoMAC
	} else if !strings.HasPrefix(text, handlePrefix) {
		return handle{}, errHandleInvalid
	}
	var raw, want [maxHandleData]byte
	if len(text) != len(handlePrefix)+all/3*4 {
		return handle{}, errHandleInvalid
	}
	if n, err := base64.RawURLEncoding.Decode(raw[:], []byte(text[len(handlePrefix):])); err != nil || n != all {
		return handle{}, errHandleInvalid
	}
	copy(want[:], raw[:data])
	k.mac(want[data:all], queue, want[:data])
	if subtle.ConstantTimeCompare(raw[:all], want[:all]) != 1 {
		return handle{}, errHandleInvalid
	}
	h := handle{
		storage: int64(binary.BigEndian.Uint64(raw[0:])),
		id:      int64(binary.BigEndian.Uint64(raw[8:])),
		version: int32(binary.BigEndian.Uint32(raw[16:])),
		fifo:    isFIFO,
	}
	if isFIFO {
		h.group = int64(binary.BigEndian.Uint64(raw[20:]))
	}
	if data == loggedData {
		h.message = int64(binary.BigEndian.Uint64(raw[28:]))
	}
	return h, nil
}

func (k *keys) mac(dst []byte, queue int64, data []byte) {
	var input [keySize + 8 + loggedData]byte
	copy(input[:], k.handles[:])
	binary.BigEndian.PutUint64(input[keySize:], uint64(queue))
	n := copy(input[keySize+8:], data)
	sum := sha256.Sum256(input[:keySize+8+n])
	copy(dst, sum[:])
}

var (
	errHandleInvalid    = core.Errorf(core.ReceiptHandleInvalid, "the receipt handle is not one of this queue")
	errHandleExpired    = core.Errorf(core.ReceiptHandleExpired, "the visibility timeout of the receipt handle has passed")
	errHandleSuperseded = core.Errorf(core.ReceiptHandleSuperseded, "the message has a newer receipt handle")
	errMessageGone      = core.Errorf(core.MessageNotFound, "the message of the receipt handle is gone")
	errTooLong          = core.Errorf(core.VisibilityTooLong, "the message would be hidden for longer than allowed since its receive")
)

// Message ids are handed out in blocks, so that an insert knows its ids beforehand. Within a
// storage they rise with the time of sending, give or take blockLife: retention relies on it.
const (
	blockSize = 4096
	blockLife = time.Minute // then the rest of a block is thrown away
)

// idBlocks gives out row ids.
type idBlocks struct {
	take  func(context.Context) (int64, error) // the first id of a fresh block
	takes singleflight.Group

	mu    sync.Mutex
	next  int64
	end   int64
	until time.Time
}

// allot gives n ids in a row, n at most blockSize. Who needs a fresh block shares it, or the failure to
// get one, with everybody else who does.
func (b *idBlocks) allot(ctx context.Context, n int) (int64, error) {
	for {
		if first, ok := b.cut(n); ok {
			return first, nil
		}
		taken := b.takes.DoChan("", func() (any, error) {
			if b.has(n) { // somebody was faster
				return nil, nil
			}
			first, err := b.take(context.WithoutCancel(ctx))
			if err == nil {
				b.refill(first)
			}
			return nil, err
		})
		select {
		case result := <-taken:
			if result.Err != nil {
				return 0, result.Err
			}
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// cut takes ids off the present block; false if it has too few left or is too old.
func (b *idBlocks) cut(n int) (first int64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.fits(n) {
		return 0, false
	}
	first = b.next
	b.next += int64(n)
	return first, true
}

func (b *idBlocks) has(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fits(n)
}

// fits reports whether the present block has n ids to give. The caller holds b.mu.
func (b *idBlocks) fits(n int) bool { return b.end-b.next >= int64(n) && !time.Now().After(b.until) }

func (b *idBlocks) refill(first int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next, b.end, b.until = first, first+blockSize, time.Now().Add(blockLife)
}

func (s *Store) nextBlock(ctx context.Context) (first int64, err error) {
	err = s.do(ctx, `SELECT nextval('message_blocks') * 4096`, nil, func(rows pgx.Rows) error {
		first, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
		return err
	})
	return first, err
}
