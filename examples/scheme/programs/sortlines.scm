;; Reads lines of text, sorts them by several orders, removes duplicates, writes them out and reads them back.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

;; The files of the machine to work on: the licences of a Debian system, or any C headers, or this program
;; itself.
(define (files-in directory keep?)
  (filter file-exists?
          (map (lambda (name) (string-append directory "/" name))
               (filter keep? (directory-files directory)))))

(define (is-header? name) (string-suffix? ".h" name))

(define (first-some . lists)
  (cond ((null? lists) '()) ((pair? (car lists)) (car lists)) (else (apply first-some (cdr lists)))))

(define files
  (first-some (files-in "/usr/share/common-licenses" (lambda (name) #t))
              (files-in "/usr/include" is-header?)
              (list (car (command-line)))))

(define (read-lines path)
  (call-with-input-file path
    (lambda (port)
      (let loop ((lines '()))
        (let ((line (read-line port)))
          (if (eof-object? line) (reverse lines) (loop (cons line lines))))))))

(define (sorted-by? less? list)
  (or (null? list)
      (null? (cdr list))
      (and (not (less? (cadr list) (car list))) (sorted-by? less? (cdr list)))))

(define (unique sorted)
  (cond ((or (null? sorted) (null? (cdr sorted))) sorted)
        ((string=? (car sorted) (cadr sorted)) (unique (cdr sorted)))
        (else (cons (car sorted) (unique (cdr sorted))))))

(define (by-length a b)
  (let ((x (string-length a)) (y (string-length b))) (or (< x y) (and (= x y) (string<? a b)))))

(define (tally lines)
  (let ((table (make-string-hash-table)))
    (for-each (lambda (line) (hash-table-update!/default table line (lambda (n) (+ n 1)) 0)) lines)
    table))

(define (through-text lines)
  (let* ((text (call-with-output-string (lambda (port)
                                          (for-each (lambda (line) (write-string line port) (newline port))
                                                    lines))))
         (port (open-input-string text)))
    (let loop ((read '()))
      (let ((line (read-line port))) (if (eof-object? line) (reverse read) (loop (cons line read)))))))

(define (run)
  (let* ((lines (append-map read-lines files))
         (sorted (sort lines string<?))
         (by-size (sort lines by-length))
         (distinct (unique sorted)))
    (and (= (length sorted) (length lines))
         (sorted-by? string<? sorted)
         (sorted-by? by-length by-size)
         (equal? sorted (sort by-size string<?))
         (= (length distinct) (hash-table-count (tally lines)))
         (equal? distinct (through-text distinct)))))

(check "sortlines"
       (let loop ((i 0) (good #t)) (if (= i (* 36 scale)) good (loop (+ i 1) (and good (run))))))
