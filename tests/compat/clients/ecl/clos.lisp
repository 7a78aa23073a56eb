;; Classes, generic functions, multiple dispatch, method combination, instances that change their class; a discrete
;; simulation with a priority queue, whose events are instances that die young.
(defparameter *size* (parse-integer (car (last (ext:command-args)))))

(defvar *seed* 1)
(defun below (n)
  (setf *seed* (mod (+ (* *seed* 1103515245) 12345) 2147483648))
  (mod (floor *seed* 65536) n))

(defclass node () ((name :initarg :name :reader name) (visits :initform 0 :accessor visits)))
(defclass server (node) ((queue :initform '() :accessor queue) (served :initform 0 :accessor served)))
(defclass fast-server (server) ())
(defclass sink (node) ((seen :initform (make-hash-table :test #'equal) :reader seen)))

(defclass event () ((at :initarg :at :reader at) (target :initarg :target :reader target)))
(defclass arrival (event) ((customer :initarg :customer :reader customer)))
(defclass departure (event) ())

(defgeneric handle (event node now))
(defgeneric duration (node))
(defmethod duration ((node server)) (+ 10 (below 20)))
(defmethod duration ((node fast-server)) (floor (call-next-method) 2))

;; A binary heap in an adjustable vector.

(defvar *events* (make-array 16 :adjustable t :fill-pointer 0))

(defun earlier (a b) (< (at a) (at b)))

(defun schedule (event)
  (vector-push-extend event *events*)
  (loop with i = (1- (fill-pointer *events*))
        for parent = (floor (1- i) 2)
        while (and (> i 0) (earlier (aref *events* i) (aref *events* parent)))
        do (rotatef (aref *events* i) (aref *events* parent))
           (setf i parent)))

(defun next-event ()
  (let ((first (aref *events* 0)) (last (vector-pop *events*)) (count (fill-pointer *events*)))
    (when (> count 0)
      (setf (aref *events* 0) last)
      (loop with i = 0
            for child = (+ i i 1)
            while (< child count)
            do (when (and (< (1+ child) count) (earlier (aref *events* (1+ child)) (aref *events* child)))
                 (incf child))
               (unless (earlier (aref *events* child) (aref *events* i)) (return))
               (rotatef (aref *events* i) (aref *events* child))
               (setf i child)))
    first))

(defvar *nodes*
  (coerce (append (loop for i below 6 collect (make-instance 'server :name (format nil "server ~a" i)))
                  (loop for i below 3 collect (make-instance 'fast-server :name (format nil "fast ~a" i)))
                  (list (make-instance 'sink :name "sink")))
          'vector))

(defmethod handle :before (event (node node) now)
  (incf (visits node)))

(defmethod handle ((event arrival) (node server) now)
  (setf (queue node) (append (queue node) (list (customer event))))
  (when (null (cdr (queue node)))
    (schedule (make-instance 'departure :at (+ now (duration node)) :target node))))

(defmethod handle ((event departure) (node server) now)
  (let ((customer (pop (queue node))))
    (incf (served node))
    (schedule (make-instance 'arrival :at (+ now 1) :customer (cons (name node) customer)
                                      :target (aref *nodes* (below (length *nodes*)))))
    (when (queue node)
      (schedule (make-instance 'departure :at (+ now (duration node)) :target node)))))

(defmethod handle ((event arrival) (node sink) now)
  (incf (gethash (length (customer event)) (seen node) 0)))

(dotimes (i *size*)
  (schedule (make-instance 'arrival :at (* i 3) :customer (list i) :target (aref *nodes* (mod i 9)))))
(loop while (> (fill-pointer *events*) 0)
      do (let ((event (next-event)))
           (handle event (target event) (at event))))

(loop for node across *nodes* do (format t "~a: ~a visits~%" (name node) (visits node)))
(let ((lengths '()))
  (maphash (lambda (length count) (push (cons length count) lengths)) (seen (aref *nodes* 9)))
  (format t "customers by path: ~a~%" (subseq (sort lengths #'< :key #'car) 0 (min 10 (length lengths)))))

;; Instances that become something else, and a class that is redefined under its instances.

(defclass shape () ((size :initarg :size :accessor size)))
(defclass disc (shape) ())
(defclass box (shape) ((depth :initform 2 :accessor depth)))
(defgeneric area (shape))
(defmethod area ((shape disc)) (* 3 (size shape) (size shape)))
(defmethod area ((shape box)) (* (depth shape) (size shape) (size shape)))

(defvar *shapes* (loop for i below *size* collect (make-instance (if (oddp i) 'disc 'box) :size (mod i 11))))
(format t "areas: ~a" (reduce #'+ *shapes* :key #'area))
(dolist (shape *shapes*)
  (when (zerop (mod (size shape) 3)) (change-class shape (if (typep shape 'disc) 'box 'disc))))
(format t " ~a" (reduce #'+ *shapes* :key #'area))
(defclass box (shape) ((depth :initform 5 :accessor depth) (colour :initform 'red :reader colour)))
(format t " ~a ~a~%" (reduce #'+ *shapes* :key #'area)
        (count-if (lambda (shape) (and (typep shape 'box) (eq (colour shape) 'red))) *shapes*))
