/* Icons are drawn by book.css; this empty file keeps the theme from shipping its 1.5 MB icon script. */
