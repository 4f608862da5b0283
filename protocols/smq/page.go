package smq

import "github.com/polymq/polymq/core"

// pageRequest is what every list is asked with.
type pageRequest struct {
	PageNum  *int
	PageSize *int
}

// Bounds of pages. Numbers outside are taken as the nearest inside.
const (
	minPageSize     = 10
	maxPageSize     = 50
	defaultPageSize = maxPageSize
	maxPageNum      = 100_000_000
)

// pageData is a page of a list.
type pageData[Row any] struct {
	PageData []Row
	PageNum  int
	PageSize int
	Pages    int
	Size     int
	Total    int
}

// bounds gives the number and size of the page that is asked for.
func (r *pageRequest) bounds() (number, size int) {
	number, size = 1, defaultPageSize
	if r.PageNum != nil {
		number = min(max(*r.PageNum, 1), maxPageNum)
	}
	if r.PageSize != nil {
		size = min(max(*r.PageSize, minPageSize), maxPageSize)
	}
	return number, size
}

// page takes the page that is asked for out of all items, and makes its rows.
func page[Item, Row any](r *pageRequest, items []Item, row func(Item) (Row, error)) (*pageData[Row], error) {
	number, size := r.bounds()
	from := min((number-1)*size, len(items))
	to := min(from+size, len(items))
	data := &pageData[Row]{PageData: []Row{}, PageNum: number, PageSize: size, Pages: (len(items) + size - 1) / size, Total: len(items)}
	for _, item := range items[from:to] {
		made, err := row(item)
		if code := core.CodeOf(err); code == core.QueueNotFound || code == core.TopicNotFound {
			continue // deleted meanwhile
		} else if err != nil {
			return nil, err
		}
		data.PageData = append(data.PageData, made)
	}
	data.Size = len(data.PageData)
	return data, nil
}

// maxScanned bounds how many queues, topics or subscriptions are looked at for a list.
const maxScanned = 100_000

// all gathers what the pages of a list of core's have, as long as there is a next one.
func all[Item any](read func(after string) (items []Item, next string, err error)) ([]Item, error) {
	var gathered []Item
	for after := ""; len(gathered) < maxScanned; {
		items, next, err := read(after)
		if err != nil {
			return nil, err
		}
		if gathered = append(gathered, items...); next == "" {
			break
		}
		after = next
	}
	return gathered, nil
}
