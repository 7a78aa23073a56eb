;; Word counts and a concordance of real text: string building, a hash table of strings, sorting.

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

(define (word-character? c) (or (char-alphabetic? c) (char=? c #\')))

;; Calls (visit word) for each word of a line, in lower case.
(define (for-each-word line visit)
  (let ((n (string-length line)))
    (let loop ((i 0) (start #f))
      (cond
        ((and (< i n) (word-character? (string-ref line i))) (loop (+ i 1) (or start i)))
        (else
         (if start (visit (string-downcase (substring line start i))))
         (if (< i n) (loop (+ i 1) #f)))))))

(define (for-each-line path visit)
  (call-with-input-file path
    (lambda (port)
      (let loop ((line (read-line port)) (number 1))
        (if (not (eof-object? line))
            (begin
              (visit line number)
              (loop (read-line port) (+ number 1))))))))

;; word -> list of (file . line), newest first
(define (concordance files)
  (let ((table (make-string-hash-table)) (total 0))
    (for-each (lambda (path)
                (for-each-line path
                               (lambda (line number)
                                 (for-each-word line
                                                (lambda (word)
                                                  (set! total (+ total 1))
                                                  (hash-table-update!/default table
                                                                              word
                                                                              (lambda (places)
                                                                                (cons (cons path number)
                                                                                      places))
                                                                              '()))))))
              files)
    (values table total)))

(define (most-frequent table)
  (sort (map (lambda (entry) (cons (length (cdr entry)) (car entry))) (hash-table->alist table))
        (lambda (a b) (or (> (car a) (car b)) (and (= (car a) (car b)) (string<? (cdr a) (cdr b)))))))

(define (sorted? ranking)
  (or (null? ranking)
      (null? (cdr ranking))
      (and (>= (caar ranking) (caadr ranking)) (sorted? (cdr ranking)))))

(define (run)
  (let-values (((table total) (concordance files)))
    (let ((ranking (most-frequent table)))
      (and (> total 0)
           (= total (apply + (map car ranking)))
           (= (length ranking) (hash-table-count table))
           (sorted? ranking)))))

(check "concordance"
       (let loop ((i 0) (good #t)) (if (= i (* 30 scale)) good (loop (+ i 1) (and good (run))))))
