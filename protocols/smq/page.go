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

func (r *pageRequest) number() int {
	if r.PageNum == nil {
		return 1
	}
	return min(max(*r.PageNum, 1), maxPageNum)
}

func (r *pageRequest) size() int {
	if r.PageSize == nil {
		return defaultPageSize
	}
	return min(max(*r.PageSize, minPageSize), maxPageSize)
}

// skip gives how many rows stand before the page.
func (r *pageRequest) skip() int { return min((r.number()-1)*r.size(), core.MaxSkipped) }

// newPage gives the page that is asked for, with its rows, of a list of total rows.
func newPage[Row any](r *pageRequest, total int, rows []Row) *pageData[Row] {
	if rows == nil {
		rows = []Row{}
	}
	return &pageData[Row]{PageData: rows, PageNum: r.number(), PageSize: r.size(), Pages: (total + r.size() - 1) / r.size(), Size: len(rows), Total: total}
}

// page takes the page that is asked for out of all items, and makes its rows.
func page[Item, Row any](r *pageRequest, items []Item, row func(Item) Row) *pageData[Row] {
	from := min(r.skip(), len(items))
	var rows []Row
	for _, item := range items[from:min(from+r.size(), len(items))] {
		rows = append(rows, row(item))
	}
	return newPage(r, len(items), rows)
}
