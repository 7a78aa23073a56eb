;; Hash tables under eq, eql, equal and equalp, strings with fill pointers, string streams, sorting, weak tables,
;; conses shared and copied.
(defparameter *size* (parse-integer (car (last (ext:command-args)))))

(defun word (i)
  (format nil "~36r-~a" (mod (* i i) 1009) (mod i 97)))

(let ((counts (make-hash-table :test #'equal)))
  (dotimes (i (* 5 *size*)) (incf (gethash (word i) counts 0)))
  (let ((pairs '()))
    (maphash (lambda (word count) (push (cons word count) pairs)) counts)
    (setf pairs (sort pairs (lambda (a b) (or (> (cdr a) (cdr b))
                                              (and (= (cdr a) (cdr b)) (string< (car a) (car b)))))))
    (format t "~a words: ~a~%" (length pairs) (subseq pairs 0 (min 5 (length pairs))))))

(let ((tables (list (make-hash-table :test #'eql) (make-hash-table :test #'equal) (make-hash-table :test #'equalp))))
  (dotimes (round 3)
    (dolist (table tables)
      (dotimes (i *size*) (setf (gethash (+ i (* round 100)) table) (list round i)))
      (loop for i below *size* by 2 do (remhash (+ i (* round 100)) table))))
  (format t "entries: ~a~%"
          (loop for table in tables
                collect (list (hash-table-count table)
                              (loop for value being the hash-values of table sum (+ (first value) (second value)))))))

(let ((text (make-array 0 :element-type 'character :adjustable t :fill-pointer t)))
  (dotimes (i *size*)
    (loop for character across (format nil "~r " (mod i 1000)) do (vector-push-extend character text)))
  (format t "text: ~a letters, ~a of them e~%" (length text) (count #\e text))
  (let ((words (with-input-from-string (in text)
                 (loop for word = (read in nil) while word collect word))))
    (format t "words: ~a, ~a distinct~%" (length words) (length (remove-duplicates words)))))

;; Objects under weak keys: those that are held must be there.

(defvar *held* '())
(defvar *weak* (make-hash-table :test #'eq :weakness :key))
(dotimes (i *size*)
  (let ((key (list i)))
    (when (evenp i) (push key *held*))
    (setf (gethash key *weak*) (vector i))))
(ext:gc t)
(format t "held: ~a, all there: ~a, others: ~a~%" (length *held*)
        (every (lambda (key) (equalp (gethash key *weak*) (vector (car key)))) *held*)
        (if (<= (hash-table-count *weak*) *size*) "no more than there were" "too many"))

;; Trees: copied, with parts in common, flattened.

(defun tree (depth)
  (if (zerop depth) (list depth) (list (tree (1- depth)) depth (tree (1- depth)))))
(defun leaves (tree)
  (if (consp tree) (+ (leaves (car tree)) (leaves (cdr tree))) 1))

(let ((kept '()))
  (dotimes (i (ceiling *size* 20))
    (push (subst (car kept) 0 (tree 6)) kept)
    (when (> (length kept) 3) (setf kept (list (copy-tree (tree 5))))))
  (format t "trees: ~a~%" (mapcar #'leaves kept)))

(let ((vector (make-array *size*)))
  (dotimes (i *size*) (setf (aref vector i) (mod (* i 7919) 10007)))
  (format t "sorted: ~a~%" (let ((sorted (sort (copy-seq vector) #'<)))
                             (loop for i below (min 10 *size*) collect (aref sorted i))))
  (format t "sorted strings: ~a~%"
          (subseq (stable-sort (map 'list #'write-to-string vector) #'string<) 0 (min 5 *size*))))
